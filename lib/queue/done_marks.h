/*
 * Done marks: the ids of messages that were acked, for consumers that must not do a message twice. A mark is the
 * message's own file, moved to done/BUCKET/ID.
 *
 *     if (done_marks_has(queue, id, now) == 0)
 *         … work on the message …
 *     moved = done_marks_move(queue, dir, file, &name, now);
 *
 * A bucket takes the marks of a stretch of time that is at least as long as dedup-window. So a message that was acked
 * within the window has its mark in the bucket of this moment or in the one before it. Older buckets are removed.
 *
 * Errors are negative errno values.
 */
#ifndef MQ_DONE_H
#define MQ_DONE_H

#include "queue/queue.h"

/* Acknowledge a claimed message: its file becomes its mark. 1: done; 0: the claim is gone; -EEXIST: the id has
   a mark. */
int done_marks_move(mq_queue *queue, int from_dir, const char *from_name, const struct message_name *name, int64_t now);

/* Whether an id was acked within the window: 1 or 0, or a negative errno if that cannot be known. */
int done_marks_has(mq_queue *queue, const char *id, int64_t now);

/* Remove all marks that are older than the window. Their number is added to `ret_removed`. */
int done_marks_expire(mq_queue *queue, int64_t now, uint64_t *ret_removed);

/* After an ack: now and then remove some of these marks, more than are made meanwhile. */
void done_marks_expire_some(mq_queue *queue, int64_t now);

#endif
