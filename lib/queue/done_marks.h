/*
 * Remembering what was acked: done/BUCKET/ID, the message's own file under its last name.
 *
 * A bucket takes what is acked in a stretch of time that is at least as long as dedup-window. So what was acked within the
 * window lies in this moment's bucket or in the one before it, and a bucket that ended longer ago is of no use.
 */
#ifndef MQ_DONE_H
#define MQ_DONE_H

#include "queue/queue.h"

/* Move a claimed message's file there. 1 moved; 0 the claim is gone; -EEXIST: the id was acked before. */
int done_marks_move(mq_queue *queue, int from_dir, const char *from_name, const struct message_name *name, int64_t now);

/* Whether an id was acked within the window: 1 or 0. */
int done_marks_has(mq_queue *queue, const char *id, int64_t now);

/* Remove all marks that are of no use any more: how many. */
int done_marks_expire(mq_queue *queue, int64_t now, uint64_t *ret_removed);

/* Now and again remove some of them: more than are made meanwhile. */
void done_marks_expire_some(mq_queue *queue, int64_t now);

#endif
