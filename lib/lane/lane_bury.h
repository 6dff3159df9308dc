/* What becomes of the messages of a lane's head that are dead. */
#ifndef MQ_LANE_BURY_H
#define MQ_LANE_BURY_H

#include "queue/queue.h"

/* Give the messages of the head's file dir/file that `dead` stands for names in dead/, each its own. `dead` is the head's
   name outside of its lane (lane_name.h), with the time and the reason of death. If the head is all that is left of the
   file, that is gone afterwards. `each` is called for each dead letter. 1, or 0 if the file is gone. */
typedef void lane_dead_fn(mq_queue *queue, const struct message_name *dead);
int lane_bury(mq_queue *queue, enum mq_state state, int dir, const char *file, const struct message_name *dead,
              lane_dead_fn *each);

#endif
