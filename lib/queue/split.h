/*
 * Splitting: taking the first message off a name that stands for several.
 *
 * The file is not touched. Of the names
 *
 *     link    STATE/B/batch          tmp/split-REST.MARK    REST: position and id of the next message
 *     rename  STATE/B/batch          STATE/B/rest           its name says that a message was split off, and the mark
 *     rename  tmp/split-REST.MARK    wherever the message is to go
 *
 * the second decides that the message is not in the batch any more, and the third who has it. Whoever dies between
 * them hides it until the next one comes by: who wants to move or remove a name with a split first finishes it. So a
 * batch is out of nobody's reach at any time, and no message has two names, but for tmp/, which is no state.
 *
 * The mark is random, one for each try, since link(2) looks for the old name and makes the new one in two steps: a
 * process that is slow between them makes its link when others have been through all three. With a name of its own
 * that link means nothing, as any that was not followed by its rename.
 */
#ifndef MQ_SPLIT_H
#define MQ_SPLIT_H

#include "queue/queue.h"

struct split {
    enum mq_state state;
    struct message_name part; /* the message's own name in that state */
    struct message_name rest; /* what it was split off */
};

/*
 * The first two steps, with the file `file` of a bucket, whose name `batch` stands for several messages; a split that
 * it says itself is finished. 1 done: the caller is to take the message, or to finish. 0 somebody else changed the
 * batch first. -EBADMSG: the messages are malformed.
 */
int split_off(mq_queue *queue, enum mq_state state, int dir, const char *file, const struct message_name *batch,
              struct split *ret_split);

/* What a name with a split says of it. 1 the message is still in tmp/; 0 it is not; -EBADMSG: malformed. */
int split_find(mq_queue *queue, enum mq_state state, const struct message_name *rest, struct split *ret_split);

/* The third step: give the message `name` in state `to`. As move_message. */
int split_take(mq_queue *queue, const struct split *split, enum mq_state to, const struct message_name *name);

/* The third step instead: remove the message. 1 removed, 0 somebody else has taken it. */
int split_remove(mq_queue *queue, const struct split *split);

/* Finish whatever split the name of a file says: the message gets its own name in the state that it is in, and `name`
   says it no more. 0, or a negative errno, which is -EBADMSG or -EAGAIN where blame.h has it so. */
int split_finish(mq_queue *queue, enum mq_state state, struct message_name *name);

#endif
