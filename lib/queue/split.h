/*
 * Splitting: taking the first message off a batch, which is a file whose name stands for several messages.
 *
 *     done = split_off(queue, state, dir, file, &batch, &split);      the first message lies in tmp/ now
 *     done = split_take(queue, &split, to, &name);                    or split_claim, or split_remove
 *
 * The content of the file does not change. Three system calls change its names:
 *
 *     link    STATE/B/batch          tmp/split-REST.MARK    REST: position and id of the next message
 *     rename  STATE/B/batch          STATE/B/rest           this name has the mark, and says that a message was split off
 *     rename  tmp/split-REST.MARK    wherever the message is to go
 *
 * The second call decides that the message is not in the batch any more. The third decides which process has it. If a
 * process dies between the two, the message is hidden until another process meets the name of the rest: every process
 * that moves or removes a name with a mark finishes the split first. So a batch can be reached at any moment, and no
 * message has two names in any state. (tmp/ is not a state.)
 *
 * The mark is random, and each attempt has a new one, because link(2) looks up the old name and makes the new name in
 * two steps. A process that is stopped between these steps makes its link after other processes have done all three
 * calls. No name has the mark of that link. So the link means nothing, like every link that was not followed by its
 * rename.
 *
 * The calls return 1 if they did their step, and 0 if another process was first. -EBADMSG: the messages are malformed.
 * -EAGAIN: the file cannot be used for now (blame.h).
 */
#ifndef MQ_SPLIT_H
#define MQ_SPLIT_H

#include "queue/queue.h"

struct split {
    enum mq_state state;
    struct message_name part; /* the first message, with the name that it has in that state */
    struct message_name rest; /* the batch without that message */
};

/* Steps one and two, for the file `file` in the bucket `dir`, whose name is `batch`. If that name has the mark of an
   earlier split, the caller has finished that split before. After 1 the caller takes or removes the message. */
int split_off(mq_queue *queue, enum mq_state state, int dir, const char *file, const struct message_name *batch,
              struct split *ret_split);

/* Whether the rest of a split file stays in its bucket. */
static inline bool split_stays(enum mq_state state, const struct message_name *part, const struct message_name *rest)
{
    return state != MQ_READY || name_birth(part->position) == name_birth(rest->position);
}

/* Find the message that was split off a batch, by the name of the rest, which has the mark. 1: it is still in tmp/. */
int split_find(mq_queue *queue, enum mq_state state, const struct message_name *rest, struct split *ret_split);

/* Step three: move the message to state `to`, where its name is `name`. Errors are those of move_message. */
int split_take(mq_queue *queue, const struct split *split, enum mq_state to, const struct message_name *name);

/* Step three for a claim: `ret_dir` is as for move_claim. */
int split_claim(mq_queue *queue, const struct split *split, const struct message_name *name, int *ret_dir);

/* Step three for a message that is not wanted any more: remove it. */
int split_remove(mq_queue *queue, const struct split *split);

/* If the name of a file has the mark of a split, finish that split: the message gets a name of its own in the same
   state, and the mark is removed from `name`. Returns 0 or a negative errno. */
int split_finish(mq_queue *queue, enum mq_state state, struct message_name *name);

#endif
