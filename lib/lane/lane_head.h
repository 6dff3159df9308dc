/* The file of a lane's head, which lies in q/ itself or in a bucket of it. */
#ifndef MQ_LANE_HEAD_H
#define MQ_LANE_HEAD_H

#include "queue/queue.h"

/* Remove the head's file, or move it elsewhere: 1, or 0 if it is gone. `head` is its name as a message of `state`. */
typedef int lane_end_fn(mq_queue *queue, enum mq_state state, int dir, const char *file,
                        const struct message_name *head, const void *argument);

/* Call `end` with the file of the token's head; `q` is the lane's q/. 0: it is gone. */
int lane_head_end(mq_queue *queue, enum mq_state state, const struct message_name *token, int q, lane_end_fn *end,
                  const void *argument);

/* Remove a head that is done, as an end: of a claim, or of a token that waits. */
lane_end_fn lane_head_remove, lane_head_remove_waiting;

#endif
