/*
 * How many messages a queue holds: the counters of all pages added up, whether the queue is full, and correcting the
 * counters from the directories.
 */
#ifndef MQ_DEPTH_H
#define MQ_DEPTH_H

#include "queue/queue.h"
#include "store/census.h"

/* The sums of what the pages of all hosts hold. Counts may be negative while messages move. */
struct depth_totals {
    int64_t count[MQ_STATES];
    int64_t bytes;
    int64_t waiting; /* of these, those of what is ready or delayed */
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

/* How much may be ready or delayed. 0: no limit. */
struct depth_limits {
    int64_t messages, bytes;
};

/* What a sender has counted in the page already, though no directory holds it yet. */
struct depth_own {
    enum mq_state state;
    int64_t messages, bytes;
};

/* What is ready or delayed beyond the limits. */
struct depth_excess {
    int64_t messages, bytes;
    bool counted; /* by the directories, not by the page */
};

/* Find the excess by the counters. If there is one, the directories are counted now and again, or with `count` in any
   case, since the counters may be wrong; if they are, they are corrected. */
int depth_find_excess(mq_queue *queue, const struct depth_limits *limits, const struct depth_own *own, bool count,
                      struct depth_excess *ret_excess);

/* Correct this host's counters from the directories. 1: they are corrected; 0: they were right, or messages moved during
   every count and nothing was changed. */
int depth_recount(mq_queue *queue);

/* Count the queue by listing, with what transactions hold of it. `ret_unseen`: other users' may hold more. */
int depth_take_census(const mq_queue *queue, struct census *ret_census, bool *ret_unseen);

#endif
