/*
 * How many messages a queue holds: the counters of all pages added up, whether the queue is full, and correcting the
 * counters from the directories.
 */
#ifndef MQ_DEPTH_H
#define MQ_DEPTH_H

#include "queue/queue.h"

/* The sums of what the pages of all hosts hold. Counts may be negative while messages move. */
struct depth_totals {
    int64_t count[MQ_STATES];
    int64_t bytes;
    uint64_t counters[PAGE_COUNTERS];
    int64_t now; /* the moment that the rates are of */
    double rates[PAGE_RATES][MQ_SPANS];
    uint64_t held[MQ_HELD_BUCKETS], held_total;
};

int depth_add_up(mq_queue *queue, struct depth_totals *ret_totals);

static inline uint64_t depth_not_negative(int64_t count)
{
    return count > 0 ? (uint64_t)count : 0;
}

/*
 * Whether more than `limit` messages are ready or delayed. The sender has counted its own `own` messages in `state`
 * already, though no directory holds them yet. If the counters say that the queue is full, the directories are counted
 * now and again, since the counters may be wrong.
 */
int depth_is_over(mq_queue *queue, uint64_t limit, enum mq_state state, unsigned own, bool *ret_over);

/* Correct this host's counters from the directories. 1: they are corrected; 0: they were right, or messages moved during
   every count and nothing was changed. */
int depth_recount(mq_queue *queue);

#endif
