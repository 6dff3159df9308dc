/*
 * What time brings: delayed messages fall due, claims lapse, messages and dead letters expire.
 *
 * There is no daemon: every send and receive does the little that the page says is due.
 */
#ifndef MQ_EXPIRE_H
#define MQ_EXPIRE_H

#include "queue/queue.h"

/* Do what is due, up to a bound that keeps one caller from working for all. */
int expire_all(mq_queue *queue, int64_t now);

/* The same for one directory at most: for senders, whose own work is done and to whom no error of this matters. */
void expire_some(mq_queue *queue, int64_t now);

/* When something is due next: at most PAGE_LOOK_EVERY from now. */
int64_t expire_next(const mq_queue *queue, int64_t now);

/* Do all of it, whatever the page says, and count. */
int expire_everything(mq_queue *queue, int64_t now, struct mq_swept *swept);

/* A message past its ttl, found in `state`: dead or gone, as configured; a request to a private reply queue is gone. 1 done, 0 somebody else moved it. */
int expire_message(mq_queue *queue, enum mq_state state, int bucket_dir, const char *file,
                   const struct message_name *name, int64_t now);

#endif
