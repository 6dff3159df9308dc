/* What a handle knows of the clocks of hosts that share a file system. */
#include <stdlib.h>

#include "base/fs_network.h"
#include "queue/queue.h"

bool mq_queue_is_on_network(const mq_queue *queue)
{
    return queue->clock.is_network;
}

int mq_queue_skew(const mq_queue *queue, int64_t *ret_skew)
{
    *ret_skew = queue->clock.is_known ? clock_now() - queue_now(queue) : 0;
    return llabs(*ret_skew) > queue->config.ack_timeout;
}

int queue_learn_clock(mq_queue *feed)
{
    const int error = feed->order.type ? 0 : fs_find_type(feed->dir, &feed->order.type);
    return error ? error
                 : shared_clock_begin_on(&feed->clock, fs_type_is_network(feed->order.type), feed->page, feed->dir,
                                         ACCESS_ALL);
}
