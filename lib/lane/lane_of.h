/* Which lane of an ordered queue a message belongs in. */
#ifndef MQ_LANE_OF_H
#define MQ_LANE_OF_H

#include "format/lane_name.h"
#include "format/message.h"
#include "queue/queue.h"

/* 1; 0: in none, since the queue keeps no order, or the message lacks the header that tells its group. */
int lane_of(const mq_queue *queue, const mq_message *message, char ret_lane[LANE_KEY_SIZE]);

#endif
