/* aside/: what lay in a queue and did not belong. */
#ifndef MQ_ASIDE_H
#define MQ_ASIDE_H

#include "queue/queue.h"

/* Move something there, out of a directory of the queue. A directory of another user, which may be beyond that, is
   removed if it is empty. */
int aside_put(const mq_queue *queue, int dir, const char *name);

#endif
