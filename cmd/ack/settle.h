/*
 * Settling the claims of receipts, as the command line says.
 *
 *     mq_queue *queue = NULL;
 *     status = settle_receipt(receipt, &end, &queue);
 *     mq_close(queue);
 *
 * The queue of the last receipt stays open in `queue`. Calls return an exit status, and have reported what went wrong.
 */
#ifndef SETTLE_H
#define SETTLE_H

#include <mq.h>
#include <stdint.h>

enum claim_action { CLAIM_ACK, CLAIM_NACK, CLAIM_REJECT, CLAIM_RELEASE, CLAIM_EXTEND };

/* What to do with each claim. */
struct claim_end {
    enum claim_action action;
    int64_t delay;      /* of CLAIM_NACK */
    int64_t extension;  /* of CLAIM_EXTEND */
    const char *reason; /* of CLAIM_REJECT; may be NULL */
};

int settle_receipt(const char *receipt, const struct claim_end *end, mq_queue **queue);

/* Settle the receipts on standard input, one a line. */
int settle_input(const struct claim_end *end, mq_queue **queue);

#endif
