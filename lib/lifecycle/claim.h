/*
 * Claiming: taking the next messages out of ready/ by one rename to inflight/.
 *
 *     got = claim_next(queue, ack_timeout, max_count, &claimed);
 *     … deliver claimed.message, or the messages in claimed.file …
 *     claim_give_back(queue, &claimed);      if they cannot be delivered after all
 *
 * The caller owns the message or the file. What it delivers is settled by its receipt (settle.c).
 */
#ifndef MQ_CLAIM_H
#define MQ_CLAIM_H

#include "queue/queue.h"

struct claimed {
    struct message_name name;
    int dir;             /* the bucket of the claimed file; the handle owns it, until its next claim or reopening */
    mq_message *message; /* NULL: there are several, in `file` */
    int file;
};

/*
 * Claim the next message, or up to `max_count` messages if they lie in one file and none of them has failed. Messages
 * that came back after a failed attempt are claimed one by one, so that a poisonous message takes no other with it.
 * Returns 1 if something was claimed, 0 if there is nothing to claim now, or a negative errno.
 */
int claim_next(mq_queue *queue, int64_t ack_timeout, uint64_t max_count, struct claimed *ret_claimed);

/* The same for what the queue's source has just taken. 1 claimed; 0: it became ready, or another process has it. */
int claim_taken(mq_queue *queue, int64_t ack_timeout, uint64_t max_count, const struct source_file *taken,
                struct claimed *ret_claimed);

/* Put what was claimed back into ready/, without counting this attempt, and free it. If that fails, it becomes ready
   again when the claim lapses. The bucket claimed.dir must still be open. */
void claim_give_back(mq_queue *queue, struct claimed *claimed);

#endif
