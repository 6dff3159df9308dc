/* Which message of a lane comes next. */
#ifndef MQ_LANE_FIRST_H
#define MQ_LANE_FIRST_H

#include "queue/queue.h"
#include "store/lane_dir.h"

/* The first message in an open lane. Its empty buckets are removed. 1, or 0: there is none now. */
int lane_first(mq_queue *queue, const struct lane_dir *lane, struct message_name *ret_name);

#endif
