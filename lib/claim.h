/* Claiming: taking the next message of ready/ by one rename. */
#ifndef MQ_CLAIM_H
#define MQ_CLAIM_H

#include "queue.h"

/* Claim the next message. 1 claimed, 0 there is none now. */
int claim_next(mq_queue *queue, int64_t ack_timeout, mq_message **ret_message);

#endif
