/* Failed attempts: another try later, or a dead letter. */
#ifndef MQ_SETBACK_H
#define MQ_SETBACK_H

#include "queue/queue.h"

/*
 * The attempt that a name counts has failed: the message is tried again after a delay (MQ_BACK_OFF: the queue's own), or
 * has had all its attempts and becomes a dead letter. For a file in the bucket `dir` of a state. 1 done, 0 somebody else
 * moved it.
 */
int setback_make(mq_queue *queue, enum mq_state state, int dir, const char *file, const struct message_name *name,
                 int64_t delay);

#endif
