/* Figures of a queue, and whether it is full. */
#ifndef MQ_STATS_H
#define MQ_STATS_H

#include "queue/queue.h"

/* Whether more than `limit` messages are ready or delayed, with the caller's own, of which there are `own` and which
   are counted already in their state, though in no directory yet. What the counters say is believed unless they say that it is full:
   then the directories are counted, now and again. */
int stats_is_over(mq_queue *queue, uint64_t limit, enum mq_state state, unsigned own, bool *ret_over);

/* Put this host's counters right from the directories: 1, or 0 where things moved meanwhile and nothing was changed. */
int stats_recount(mq_queue *queue);

#endif
