/* Splits that somebody began and did not finish, all over a queue: for a sweep. */
#ifndef MQ_UNSPLIT_H
#define MQ_UNSPLIT_H

#include "queue/queue.h"

/* Finish those that names tell of. */
int split_cleanup_finish(mq_queue *queue);

/* Remove what was left in tmp/ of those that no name tells of, once nothing else is left of its file; how many. */
int split_cleanup_clear(mq_queue *queue, uint64_t *ret_removed);

#endif
