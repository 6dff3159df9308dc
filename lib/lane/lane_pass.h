/*
 * Passing over messages that were taken out of a lane (lane_cuts.h).
 *
 * A receiver that has claimed a head looks whether its lane has cuts, and then whether its messages were taken out. So does
 * a process that has settled a head without a claim. Whoever takes a message out looks for the token after it made its cut:
 * one of the two sees the other.
 */
#ifndef MQ_LANE_PASS_H
#define MQ_LANE_PASS_H

#include "queue/queue.h"

/* The claimed token *dir/`token` is of a lane with cuts. 1: its messages may be delivered; the token may stand for fewer of
   them now, and have another name. 0: the token went on past a message that was taken out, or another process has it. */
int lane_pass(mq_queue *queue, int *dir, struct message_name *token);

/* The same of a token that waits, as a message that was just taken out. */
int lane_pass_waiting(mq_queue *queue, enum mq_state state, int dir, const char *file,
                      const struct message_name *token);

#endif
