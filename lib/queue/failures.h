/*
 * Records of failures: the file failures/ID of a queue has a line for each attempt of the message that failed.
 *
 *     error = failures_add(queue, id, line, size);         after an attempt has failed
 *     failures_forget(queue, MQ_INFLIGHT, &name);          after the message was removed
 *
 * The first failure makes the file, and it is removed after its message. A crash between the two leaves the file, which
 * the sweep removes then. Errors are negative errno values.
 */
#ifndef MQ_FAILURES_H
#define MQ_FAILURES_H

#include "format/name.h"
#include "queue/queue.h"

#define FAILURES_LINE_MAX 32768

/* Append a line, which ends with its newline, by one write. If the file would become too large its older half is
   removed first. */
int failures_add(mq_queue *queue, const char *id, const char *line, size_t size);

/* Remove the record of a message that was removed. It costs nothing if the message's name says that it never failed. */
void failures_forget(mq_queue *queue, enum mq_state state, const struct message_name *name);

/* Remove the records whose message is gone. Their number is added to `ret_removed`. */
int failures_sweep(mq_queue *queue, uint64_t *ret_removed);

#endif
