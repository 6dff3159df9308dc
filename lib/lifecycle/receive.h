/*
 * Receiving, for one message (mq_receive) and for several (mq_receive_batch).
 *
 *     got = receive_claim(queue, options, max_count, &claimed);
 *
 * Returns 1 if something was claimed, 0 if the time was up first, -EINVAL for bad options, -ECANCELED, -EACCES or
 * -EROFS if this process may not receive, or another negative errno.
 */
#ifndef MQ_RECEIVE_H
#define MQ_RECEIVE_H

#include "lifecycle/claim.h"

/* Claim as claim_next does. If there is nothing to claim, wait as long as the options say. */
int receive_claim(mq_queue *queue, const struct mq_receive_options *options, uint64_t max_count,
                  struct claimed *ret_claimed);

/* Tell a message of a group its offset, which its position says. */
void receive_set_offset(const mq_queue *queue, uint64_t position, mq_message *message);

/* How long such a claim is valid. */
int64_t receive_ack_timeout(const mq_queue *queue, const struct mq_receive_options *options);

/* Let a batch show the messages of a file that nobody claims: mq_batch_next hands them out. The batch closes `file`. */
int receive_view(mq_batch *batch, int file, const struct message_name *name);

#endif
