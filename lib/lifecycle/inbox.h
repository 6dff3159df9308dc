/*
 * The inbox: the directory where users who may only send put their messages. It is the reserve bucket of delayed/,
 * which these users may write to and may not list.
 *
 *     error = inbox_take(queue, now, INBOX_ALL);      any operation of a process that may do everything
 *
 * These users cannot read the queue's page. So their messages have no position yet, and the page does not count them. A
 * process that may receive takes the messages in: it gives them positions, in the order of their times, and counts
 * them. A queue without such users has no inbox; then these calls do nothing.
 *
 * Errors are negative errno values.
 */
#ifndef MQ_INBOX_H
#define MQ_INBOX_H

#include "queue/queue.h"

/* Take in the messages, at most `most` files. Nothing is done if this process may not do everything. */
int inbox_take(mq_queue *queue, int64_t now, int64_t most);
#define INBOX_ALL INT64_MAX

/* Whether a delayed message is in the inbox and is not taken in yet. */
bool inbox_has(const mq_queue *queue, const struct message_name *name);

/* Take in one message. 1: done; 0: another process was first. */
int inbox_take_one(mq_queue *queue, int dir, const char *file, const struct message_name *name, int64_t now);

/* Count the messages that are not taken in yet. */
struct inbox_figures {
    uint64_t ready, delayed; /* messages */
    uint64_t bytes;
    int64_t oldest; /* when the first message that is due was sent; 0: none is due */
};
int inbox_count(mq_queue *queue, int64_t now, struct inbox_figures *ret_figures);

#endif
