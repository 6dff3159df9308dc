/*
 * Halted lanes. With on-dead = halt a lane whose head has become a dead letter waits until somebody settles that: retries
 * it, removes it, or sends it on. Its token is parked in delayed/ with the last time that a name can express, and says how
 * the head ended. If the head is one of several messages of its file, it is retried in its place: the dead letter is
 * renamed into tmp/, under a name that tells which token it is for; then the token shows the head again; then that link goes.
 *
 * Errors are negative errno values.
 */
#ifndef MQ_LANE_HALT_H
#define MQ_LANE_HALT_H

#include "queue/queue.h"

/* The dead letter of this name is settled: its lane goes on, if it waits for that. */
int lane_go_on_without(mq_queue *queue, const struct message_name *dead);

/* A lane waits for the dead letter dir/file, which is one of several messages of a file: the letter is gone, and its message
   is the lane's head again, before the others of the file. 1; 0: no lane waits for it so, and the caller retries it. */
int lane_halt_retry(mq_queue *queue, int dir, const char *file, const struct message_name *dead);

/* Let the halted lanes go on whose dead letters are not there any more, or all if lanes do not halt. */
int lane_sweep_halted(mq_queue *queue);

#endif
