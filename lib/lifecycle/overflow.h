/*
 * Overflow: a full queue whose configuration says so takes every new message, and its oldest messages end instead.
 *
 *     … the messages are in the queue …
 *     overflow_trim(queue, &(struct overflow_news){messages, bytes}, now);
 *
 * The oldest go after the new ones have their names, so nothing ends for a send that fails. Between the two moments, and
 * if the sender dies there, the queue holds more than its limits; the next sender, or a sweep, ends what is too much.
 */
#ifndef MQ_OVERFLOW_H
#define MQ_OVERFLOW_H

#include "queue/queue.h"

/* What came into the queue: no more than that ends, unless the directories have just been counted. So a page that is wrong
   cannot end a whole queue. */
struct overflow_news {
    int64_t messages, bytes;
};

/* End the oldest messages of the lowest priority, until the queue is within its limits: ready ones, then delayed ones.
   Does nothing in a queue that refuses what is too much. Files that cannot be moved are passed over. */
int overflow_trim(mq_queue *queue, const struct overflow_news *news, int64_t now);

/* The same by the directories alone, for a sweep. */
int overflow_sweep(mq_queue *queue, int64_t now);

/* Whether a queue's oldest messages end when it is full. */
static inline bool overflow_ends_oldest(const mq_queue *queue)
{
    return queue->config.overflow != CONFIG_REFUSE;
}

#endif
