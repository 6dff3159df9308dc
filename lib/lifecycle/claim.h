/* Claiming: taking what is next in ready/ by one rename. */
#ifndef MQ_CLAIM_H
#define MQ_CLAIM_H

#include "queue/queue.h"

/* What was claimed: one message, or the open file of several. */
struct claimed {
    struct message_name name;
    mq_message *message;
    int file; /* where `message` is NULL */
};

/*
 * Claim the next message, or up to `most` of them that lie in one file and have not failed yet: what came back
 * after a failed attempt is taken one by one, so that one poisonous message dies alone. 1 claimed, 0 there is
 * nothing now.
 */
int claim_next(mq_queue *queue, int64_t ack_timeout, uint64_t most, struct claimed *ret_claimed);

/* Give back what was claimed and is handed to nobody: it was not tried. */
void claim_give_back(mq_queue *queue, const struct message_name *claimed);

#endif
