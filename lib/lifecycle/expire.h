/*
 * Expiry: delayed messages fall due, claims lapse, messages and dead letters expire.
 *
 * There is no daemon. Receivers and senders do a little of what is due, by the times in the page:
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

/* Do what is due, up to a limit, so that one caller does not do the work of all. */
int expire_all(mq_queue *queue, int64_t now);

/* Do what is due in one directory at most. A sender calls this after its own work, so an error here is none of the
   sender's. */
void expire_some(mq_queue *queue, int64_t now);

/* The moment when something is due next; at most PAGE_LOOK_EVERY from now. */
int64_t expire_next(const mq_queue *queue, int64_t now);

/* Do everything that is due, whatever the page says, and count it. */
int expire_everything(mq_queue *queue, int64_t now, struct mq_swept *swept);

/* End a message of `state` that has expired: it becomes a dead letter or is removed, as the queue is configured. A
   request whose reply goes to a reply queue is always removed. 1 done; 0 another process moved it. */
int expire_message(mq_queue *queue, enum mq_state state, int bucket_dir, const char *file,
                   const struct message_name *name, int64_t now);

#endif
