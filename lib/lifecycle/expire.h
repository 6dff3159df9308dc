/*
 * Expiry: delayed messages fall due, claims lapse, messages and dead letters expire.
 *
 * There is no daemon. Every receiver and sender does a little of what the page says is due:
 *
 *     error = expire_all(queue, now);      a receiver, before it claims
 *     expire_some(queue, now);             a sender, after it has published
 *     time = expire_next(queue, now);      a receiver that is about to sleep: when to wake
 *
 * Errors are a negative errno. A file that cannot be moved is passed over, and is no error.
 */
#ifndef MQ_EXPIRE_H
#define MQ_EXPIRE_H

#include "queue/queue.h"

/* Do what is due, up to a limit, so that no caller does the work of all. */
int expire_all(mq_queue *queue, int64_t now);

/* Do what is due in one directory at most. For a sender: its own work is done, so an error here does not concern it. */
void expire_some(mq_queue *queue, int64_t now);

/* When something is due next: at most PAGE_LOOK_EVERY from now. */
int64_t expire_next(const mq_queue *queue, int64_t now);

/* Do everything that is due, even if the page knows nothing of it, and count it. */
int expire_everything(mq_queue *queue, int64_t now, struct mq_swept *swept);

/* End a message of `state` whose time to live is over: it becomes a dead letter or is removed, as the queue is
   configured. A request to a private reply queue is always removed. 1 done; 0 another process moved it. */
int expire_message(mq_queue *queue, enum mq_state state, int bucket_dir, const char *file,
                   const struct message_name *name, int64_t now);

#endif
