/*
 * Reservations: places in a queue for messages that a sender is about to publish.
 *
 *     error = reservation_wait(queue, &(struct reservation_wish){state, count, bytes}, options, &reservation);
 *     … publish …
 *     reservation_commit(&reservation);             the messages are in the queue
 *     reservation_cancel(queue, &reservation);      they are not
 *
 * The host page counts the messages from the reservation on. So senders that publish at the same moment cannot exceed
 * the limits together. A sender that dies leaves a count that is too high; the next recount corrects it.
 */
#ifndef MQ_RESERVATION_H
#define MQ_RESERVATION_H

#include "queue/queue.h"

/* Zeroed at first. */
struct reservation {
    enum mq_state state;
    uint32_t count; /* 0: nothing is reserved */
    uint64_t bytes;
    unsigned openings; /* of the queue: a reopened queue has another page, which does not count these messages */
};

/* What is to be published. */
struct reservation_wish {
    enum mq_state state;
    uint32_t count;
    uint64_t bytes;
};

/* Reserve places in a queue whose depth has no limit, or has been looked at. Places that are reserved already stay. */
void reservation_make(mq_queue *queue, const struct reservation_wish *wish, struct reservation *reservation);

/* Wait for room under max-depth and max-bytes, as long as the options say, and reserve it. -ENOBUFS: the queue is full.
   -ESHUTDOWN: it is paused. -EOVERFLOW: the one message is larger than max-bytes. -ECANCELED. A queue whose oldest
   messages end when it is full has room at once, and nothing is reserved there. */
int reservation_wait(mq_queue *queue, const struct reservation_wish *wish, const struct mq_send_options *options,
                     struct reservation *reservation);

/* The messages are in the queue. The page goes on counting them. */
void reservation_commit(struct reservation *reservation);

/* The messages are not in the queue. If nothing is reserved, nothing happens. */
void reservation_cancel(mq_queue *queue, struct reservation *reservation);

#endif
