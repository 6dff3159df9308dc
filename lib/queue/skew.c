/* What a handle knows of the clocks of hosts that share a file system. */
#include <stdlib.h>

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
