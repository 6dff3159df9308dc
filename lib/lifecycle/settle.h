/* Settling a claim on several messages, of which some are done. The rest of settling is in mq.h. */
#ifndef MQ_SETTLE_H
#define MQ_SETTLE_H

#include "queue/queue.h"

/* Where a batch goes on: at its first message that is not done. */
struct settle_progress {
    uint64_t position;
    uint32_t offset;
    const char *id;
    int64_t ack_timeout; /* 0: the rest is given back, not tried; else it stays claimed for so long from now */
    bool corrupt;        /* or it cannot be read */
};

/* The messages in front of that one are acked. 0, or as the calls of mq.h. */
int settle_progress(mq_queue *queue, const char *receipt, const struct settle_progress *progress);

#endif
