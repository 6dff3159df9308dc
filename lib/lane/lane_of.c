/* Which lane a message belongs in. */
#include "lane/lane_of.h"

int lane_of(const mq_queue *queue, const mq_message *message, char ret_lane[LANE_KEY_SIZE])
{
    ret_lane[0] = '\0';
    if (!queue->config.order)
        return 0;
    const bool is_strict = queue->config.order == CONFIG_STRICT;
    const char *group = is_strict ? "" : mq_message_header(message, queue->config.order_by);
    if (!group)
        return 0;
    lane_name_key(group, ret_lane);
    return 1;
}
