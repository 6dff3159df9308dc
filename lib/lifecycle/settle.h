/*
 * Settling claims. The calls that settle whole claims are in mq.h. Here is what they share with transactions, and a call
 * that settles a claim on several messages of which some are done.
 *
 *     error = settle_progress(queue, receipt, &(struct settle_progress){…});
 *
 * Returns 0, or a negative errno as mq_ack does: -ESTALE if the claim is over, -EBADMSG if the receipt is malformed.
 * -EINVAL: the place is not inside the claimed batch.
 */
#ifndef MQ_SETTLE_H
#define MQ_SETTLE_H

#include "queue/queue.h"

/* A claim that is valid, as it is found now. */
struct claim {
    struct message_name name; /* the name that the file has now, which may differ from the receipt's */
    char file[NAME_SIZE];
    int dir;       /* the bucket that it lies in */
    bool in_place; /* that is the bucket which its name tells */
};

/* End, extend or take a valid claim. 1 done; 0 the file is not there any more; else a negative errno. */
typedef int settle_fn(mq_queue *queue, const struct claim *claim, const void *argument);

/* Find the claim that a receipt names, and call `action` for it. */
int settle_claim(mq_queue *queue, const char *receipt, settle_fn *action, const void *argument);

/* Count that the first `count` messages of a claim were acked, and forget their failures. */
void settle_count_acked(mq_queue *queue, const struct message_name *name, uint32_t count);

/* The first message of a batch that is not done. */
struct settle_progress {
    const struct message_name *claimed; /* the batch's name at its claim */
    uint64_t position;
    uint32_t offset;
    const char *id;
    int64_t ack_timeout; /* the rest stays claimed for this long from now; 0: it goes back to ready/, as not tried */
    bool corrupt;        /* the rest cannot be read, and becomes a dead letter */
};

/* Ack the messages before that one. */
int settle_progress(mq_queue *queue, const char *receipt, const struct settle_progress *progress);

/* The message becomes a mark that it is done. If the message has its mark already, because it was acked during this
   claim, or if the disk has no room for a mark, then this is an ordinary ack. */
int settle_mark_done(mq_queue *queue, enum mq_state state, int dir, const char *file, const struct message_name *name,
                     const void *argument);

#endif
