/*
 * Who receives from a queue: the processes that wait for a message, and those that hold a claim.
 *
 * Waiting processes of this host are found by their FIFOs in waiters/ and by the page. A receiver that polls, and one on
 * another host, is seen only while it holds a claim.
 */
#ifndef MQ_CONSUMERS_H
#define MQ_CONSUMERS_H

#include "queue/queue.h"

struct consumers {
    uint64_t waiting, working;
    uint64_t all; /* a process that does both counts once */
};

/* Look at most at CONSUMERS_CLAIMS claims. `in_flight`: how many messages are in flight; 0: inflight/ is not listed. */
#define CONSUMERS_CLAIMS 10000
int consumers_count(mq_queue *queue, uint64_t in_flight, struct consumers *ret_consumers);

#endif
