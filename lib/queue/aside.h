/* aside/: the directory for what was found in a queue and does not belong there. */
#ifndef MQ_ASIDE_H
#define MQ_ASIDE_H

#include "queue/queue.h"

/* Move a file or directory from the queue's directory `dir` to aside/. If another user's directory cannot be moved it
   is removed, provided that it is empty. 0, or a negative errno; -ENOENT: nothing has this name any more. */
int aside_put(const mq_queue *queue, int dir, const char *name);

#endif
