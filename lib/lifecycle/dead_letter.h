/*
 * Making messages dead letters. A dead letter is a single message, so the messages of a batch are split first.
 *
 *     done = dead_letter_make(queue, state, dir, file, &name, "expired", now);
 *
 * `file` lies in the bucket `dir` of a state, and is called `name`. The calls return 1 if this process moved it, 0 if
 * another process moved it first, or a negative errno. After an error some messages of a batch may be dead already.
 */
#ifndef MQ_DEAD_LETTER_H
#define MQ_DEAD_LETTER_H

#include "format/death.h"
#include "queue/queue.h"

/* If the messages of a batch cannot be split, they become one dead letter, whose reason is that it is corrupt. */
int dead_letter_make(mq_queue *queue, enum mq_state state, int dir, const char *file, const struct message_name *name,
                     const char *reason, int64_t now);

/* Make one dead letter of the whole file. */
int dead_letter_make_whole(mq_queue *queue, enum mq_state state, int dir, const char *file,
                           const struct message_name *name, const char *reason, int64_t now);

static inline int dead_letter_make_corrupt(mq_queue *queue, enum mq_state state, int dir, const char *file,
                                           const struct message_name *name, int64_t now)
{
    return dead_letter_make_whole(queue, state, dir, file, name, mq_death_name(MQ_DEATH_CORRUPT), now);
}

/* Make one dead letter of a file in the inbox. Its messages are counted now, because their sender could not count
   them. */
int dead_letter_take_in(mq_queue *queue, int dir, const char *file, const struct message_name *name, const char *reason,
                        int64_t now);

/* The reason of death of a message that its sender was not allowed to send. */
#define DEAD_LETTER_TOO_LARGE "larger than max-size"

#endif
