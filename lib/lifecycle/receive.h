/* Receiving: housekeeping, a claim, and waiting until there is something to claim. */
#ifndef MQ_RECEIVE_H
#define MQ_RECEIVE_H

#include "lifecycle/claim.h"

/* As mq_receive, of up to `most` messages at once. */
int receive_claim(mq_queue *queue, const struct mq_receive_options *options, uint64_t most,
                  struct claimed *ret_claimed);

/* How long such a claim lives. */
int64_t receive_ack_timeout(const mq_queue *queue, const struct mq_receive_options *options);

#endif
