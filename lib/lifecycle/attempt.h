/*
 * Attempts: the work on a claimed message failed, or was not tried after all. The name of a claimed message already
 * counts the attempt that began with the claim.
 */
#ifndef MQ_ATTEMPT_H
#define MQ_ATTEMPT_H

#include "queue/queue.h"

/*
 * End an attempt that failed: the message gets another one after `delay` (MQ_BACK_OFF: the delay of the queue's retry
 * policy), or becomes a dead letter if that was its last. `file` lies in the bucket `dir` of a state, and is called
 * `name`. Returns 1 if this process moved the file, 0 if another process moved it first, or a negative errno.
 */
int attempt_fail(mq_queue *queue, enum mq_state state, int dir, const char *file, const struct message_name *name,
                 int64_t delay);

/* The message was not tried: its name counts one attempt fewer. */
static inline void attempt_uncount(struct message_name *name)
{
    name->attempts -= name->attempts > 0;
}

#endif
