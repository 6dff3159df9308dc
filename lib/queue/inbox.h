/*
 * The inbox: where users who may only send put their messages.
 *
 * It is the reserve bucket of delayed/, which they may write to and not list. They cannot see the queue's page, so
 * their messages have no place in the queue yet, and nobody has counted them. Whoever may receive gives them both, in
 * the order of their times, as he comes by. A queue that nobody only sends to has none: then all this is nothing.
 */
#ifndef MQ_INBOX_H
#define MQ_INBOX_H

#include "queue/queue.h"

/* Take in what is there, up to `most` files. Nothing where this process may not. */
int inbox_take(mq_queue *queue, int64_t now, int64_t most);
#define INBOX_ALL INT64_MAX

/* Whether a delayed message waits to be taken in. */
bool inbox_has(const mq_queue *queue, const struct message_name *name);

/* Take in one. 1 done, 0 somebody else did. */
int inbox_take_one(mq_queue *queue, int dir, const char *file, const struct message_name *name, int64_t now);

/* What lies there and is not taken in yet. */
struct inbox_figures {
    uint64_t ready, delayed; /* messages */
    uint64_t bytes;
    int64_t oldest; /* when the first that is ready was sent; 0: none is */
};
int inbox_count(mq_queue *queue, int64_t now, struct inbox_figures *ret_figures);

#endif
