/* Unfinished splits, in all of a queue: for a sweep. */
#ifndef MQ_SPLIT_CLEANUP_H
#define MQ_SPLIT_CLEANUP_H

#include "queue/queue.h"

/* Finish the splits whose mark is in the name of a batch. */
int split_cleanup_finish(mq_queue *queue);

/* Remove the links in tmp/ whose mark is in no name, as soon as their file has no other links. `ret_removed` gets their
   number. A link that cannot be judged or removed does not keep the others; the error is returned at the end. */
int split_cleanup_clear(mq_queue *queue, uint64_t *ret_removed);

#endif
