/*
 * Reservations: places in a queue for messages that a sender is about to publish.
 *
 *     error = reservation_wait(queue, state, count, options, &reservation);
 *     … publish …
 *     reservation_commit(&reservation);             the messages are in the queue
 *     reservation_cancel(queue, &reservation);      they are not
 *
 * The host page counts the messages from the reservation on. So senders that publish at the same moment cannot exceed
 * max-depth together. A sender that dies leaves a count that is too high; the next recount corrects it.
 */
#ifndef MQ_RESERVATION_H
#define MQ_RESERVATION_H

#include "queue/queue.h"

/* Zeroed at first. */
struct reservation {
    enum mq_state state;
    uint32_t count;    /* 0: nothing is reserved */
    unsigned openings; /* of the handle: after a reopening it has another page, which does not count these messages */
};

/* Reserve places without looking at max-depth: there is none, or the caller has looked. If places are reserved already,
   nothing happens. */
void reservation_make(mq_queue *queue, enum mq_state state, uint32_t count, struct reservation *reservation);

/* Wait for room under max-depth as long as the options say, and reserve places. -ENOBUFS: the queue is still full.
   -ECANCELED: cancel_fd became readable. */
int reservation_wait(mq_queue *queue, enum mq_state state, uint32_t count, const struct mq_send_options *options,
                     struct reservation *reservation);

/* The messages are in the queue. The page goes on counting them. */
void reservation_commit(struct reservation *reservation);

/* The messages are not in the queue. If nothing is reserved, nothing happens. */
void reservation_cancel(mq_queue *queue, struct reservation *reservation);

#endif
