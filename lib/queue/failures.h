/*
 * What went wrong with messages: failures/ID below the queue, a line for each failed attempt.
 *
 * The file is made by the first failure and goes with its message; what a crash between the two leaves, the sweep
 * removes. So it may outlive its message for a while, and never the other way round.
 */
#ifndef MQ_FAILURES_H
#define MQ_FAILURES_H

#include "format/name.h"
#include "queue/queue.h"

#define FAILURES_LINE_MAX 32768

/* Append a line, with its newline, by one write. Where the file would become too large its older half goes first. */
int failures_add(mq_queue *queue, const char *id, const char *line, size_t size);

/* A message is gone for good, and so is what was kept of it. Costs nothing where its name says that it never failed. */
void failures_forget(mq_queue *queue, enum mq_state state, const struct message_name *name);

/* Remove the files whose message is gone: how many. */
int failures_sweep(mq_queue *queue, uint64_t *ret_removed);

#endif
