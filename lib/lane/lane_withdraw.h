/* A message that its sender takes back out of its lane. */
#ifndef MQ_LANE_WITHDRAW_H
#define MQ_LANE_WITHDRAW_H

#include "queue/queue.h"

/* The file of the message `name` is gone. If the token of the lane `key` shows it, and no process has claimed that, the token
   goes on; a process that has claimed it finds no message, and lets it go on. An error leaves that to a receiver or a sweep. */
void lane_withdraw(mq_queue *queue, const char *key, const struct message_name *name);

/* All tokens that show a message that is gone go on. */
int lane_sweep_withdrawn(mq_queue *queue);

#endif
