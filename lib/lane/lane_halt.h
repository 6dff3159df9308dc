/*
 * Halted lanes. With on-dead = halt a lane whose head has become a dead letter waits until somebody settles that: retries
 * it, removes it, or sends it on. Its token is parked in delayed/ with the last time that a name can express, and says how
 * the head ended.
 *
 * Errors are negative errno values.
 */
#ifndef MQ_LANE_HALT_H
#define MQ_LANE_HALT_H

#include "queue/queue.h"

/* The dead letter of this name is settled: its lane goes on, if it waits for that. */
int lane_go_on_without(mq_queue *queue, const struct message_name *dead);

/* Let the halted lanes go on whose dead letters are not there any more, or all if lanes do not halt. */
int lane_sweep_halted(mq_queue *queue);

#endif
