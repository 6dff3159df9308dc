/* Settling a claim on several messages, of which some are done. The rest of settling is in mq.h. */
#ifndef MQ_SETTLE_H
#define MQ_SETTLE_H

#include "queue/queue.h"

/* A live claim, as it is now. */
struct claim {
    struct message_name name;
    char file[NAME_SIZE];
    int dir;
};

/* What to do with it. 1 done, 0 it has gone, or an error. */
typedef int settle_fn(mq_queue *queue, const struct claim *claim, const void *argument);

/* Find the claim that a receipt is of and do something with it. 0, or as the calls of mq.h. */
int settle_claim(mq_queue *queue, const char *receipt, settle_fn *act, const void *argument);

/* Count that the first `count` messages of a claim were acked, and forget their failures. */
void settle_count_acked(mq_queue *queue, const struct message_name *name, uint32_t count);

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
