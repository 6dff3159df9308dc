/* Publishing a draft in a lane of an ordered queue. */
#ifndef MQ_PUBLISH_LANE_H
#define MQ_PUBLISH_LANE_H

#include "lifecycle/draft.h"

/* Put a draft whose content is where it has to be into its lane, `draft->lane`. Errors are as of publish(). */
int publish_in_lane(mq_queue *queue, struct draft *draft);

#endif
