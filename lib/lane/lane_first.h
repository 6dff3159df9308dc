/* Which message of a lane comes next. */
#ifndef MQ_LANE_FIRST_H
#define MQ_LANE_FIRST_H

#include "queue/queue.h"

/* The first message in the lane `key`, whose q/ is open in `dir`, and was not read yet. Its empty buckets are removed. 1,
   or 0: there is none now. */
int lane_first(mq_queue *queue, const char *key, int dir, struct message_name *ret_name);

#endif
