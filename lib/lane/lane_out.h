/*
 * Messages that were taken out of a lane (lane_cuts.h), as seen by a process that has settled a head: they did not die with
 * their file, and were counted out before.
 *
 * `dir` is where the head's file lies. Errors are negative errno values.
 */
#ifndef MQ_LANE_OUT_H
#define MQ_LANE_OUT_H

#include "queue/queue.h"

/* Whether this message was taken out; else no process will do so any more. 0 for cuts < 0. One that was in flight is counted
   out of `state`. */
int lane_out_ends(mq_queue *queue, enum mq_state state, int cuts, const struct message_name *one);

/* The same, 1 or 0. */
int lane_out_was(mq_queue *queue, enum mq_state state, int dir, const struct message_name *one);

/* All messages of a head that waits are about to be counted out: count those that were taken out back in. */
void lane_out_count_back(mq_queue *queue, enum mq_state state, int dir, const char *file,
                         const struct message_name *head);

/* The head's file is gone: so are its cuts. */
void lane_out_clear(mq_queue *queue, const struct message_name *token);

#endif
