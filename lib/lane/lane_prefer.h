/* A message that goes before the others of its lane. */
#ifndef MQ_LANE_PREFER_H
#define MQ_LANE_PREFER_H

#include "queue/queue.h"

/* A message that has been put back into its lane comes first, if the present head is later and was not tried yet. 1, or 0 if
   not. */
int lane_prefer(mq_queue *queue, const char *key, const struct message_name *name);

#endif
