/*
 * Settling a claim on several messages of which some are done. The other calls that settle claims are in mq.h.
 *
 *     error = settle_progress(queue, receipt, &(struct settle_progress){…});
 *
 * Returns 0, or a negative errno as mq_ack does: -ESTALE if the claim is over, -EBADMSG if the receipt is malformed.
 * -EINVAL: the place is not inside the claimed batch.
 */
#ifndef MQ_SETTLE_H
#define MQ_SETTLE_H

#include "queue/queue.h"

/* The first message of a batch that is not done. */
struct settle_progress {
    uint64_t position;
    uint32_t offset;
    const char *id;
    int64_t ack_timeout; /* the rest stays claimed for this long from now; 0: it goes back to ready/, as not tried */
    bool corrupt;        /* the rest cannot be read, and becomes a dead letter */
};

/* Ack the messages before that one. */
int settle_progress(mq_queue *queue, const char *receipt, const struct settle_progress *progress);

#endif
