/*
 * Making messages dead letters. Each dead letter is a single message: those that share a name are split.
 *
 * The calls are for a file in the bucket `dir` of a state, and return 1 done, 0 somebody else moved it.
 */
#ifndef MQ_DEADLETTER_H
#define MQ_DEADLETTER_H

#include "queue/queue.h"

int dead_letter_make(mq_queue *queue, enum mq_state state, int dir, const char *file, const struct message_name *name,
                     const char *reason, int64_t now);

/* What cannot be taken apart becomes one dead letter. */
int dead_letter_make_whole(mq_queue *queue, enum mq_state state, int dir, const char *file,
                           const struct message_name *name, const char *reason, int64_t now);

static inline int dead_letter_make_corrupt(mq_queue *queue, enum mq_state state, int dir, const char *file,
                                           const struct message_name *name, int64_t now)
{
    return dead_letter_make_whole(queue, state, dir, file, name, "corrupt", now);
}

/* The same out of the inbox, of a message that nobody has counted yet. */
int dead_letter_take_in(mq_queue *queue, int dir, const char *file, const struct message_name *name, const char *reason,
                        int64_t now);

/* Why a message dies that whoever sent it was not allowed to send. */
#define DEADLETTER_TOO_LARGE "larger than max-size"

#endif
