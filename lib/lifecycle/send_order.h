/*
 * In which order the messages of a batch are sent to an ordered queue, so that those of a group share files: the groups in
 * the order in which they begin, and the messages of each in theirs. No I/O.
 *
 *     made = send_order_make(queue, messages, count, &order);       1; 0: nothing is gained; or a negative errno
 *     … send order.messages, order.count of them; order.numbers says which of `messages` each is …
 *     send_order_free(&order);                                      in any case
 */
#ifndef MQ_SEND_ORDER_H
#define MQ_SEND_ORDER_H

#include "format/lane_name.h"
#include "queue/queue.h"

struct send_order {
    size_t count; /* it ends before the first message that shares no file */
    size_t *numbers;
    mq_message **messages;
    char (*ids)[MQ_ID_SIZE]; /* room for theirs */
};

/* Whether a message that is in a lane may share a file: the name of a token has no room then for a max-attempts. */
bool send_order_fits_lane(const mq_message *message);

/* Whether a message may share a file with others of its lane; an empty lane: with others that are in no group. */
bool send_order_may_share(const mq_queue *queue, const mq_message *message, char ret_lane[LANE_KEY_SIZE]);

int send_order_make(const mq_queue *queue, mq_message *const *messages, size_t count, struct send_order *ret_order);
void send_order_free(struct send_order *order);

#endif
