/*
 * Singling out: one message of an entry is acted upon, and the messages that share its file stay.
 *
 *     done = single_out(queue, entry, act, argument);
 *
 * The messages in front of it are split off first, each with a name of its own, and then it (split.h). Messages in lanes are
 * taken out by lane_cut.h.
 */
#ifndef MQ_SINGLE_OUT_H
#define MQ_SINGLE_OUT_H

#include "queue/queue.h"

/* Move or remove dir/file, which holds the message: 1, 0 if another process was first, or a negative errno. `name` is its
   name as a message of `state`, also if the file lies elsewhere because the message was just split off. A file that cannot
   be taken apart is acted upon as one message. */
typedef int single_out_fn(mq_queue *queue, enum mq_state state, int dir, const char *file,
                          const struct message_name *name, const void *argument);

/* Find the message and call `act` for it. 0: it is not there any more. */
int single_out(mq_queue *queue, const struct mq_entry *entry, single_out_fn *act, const void *argument);

#endif
