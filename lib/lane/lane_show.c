/* What a token shows. */
#include "lane/lane_show.h"

#include "base/clock.h"
#include "format/lane_name.h"
#include "queue/move.h"

int lane_show(mq_queue *queue, int dir, const char *file, const struct message_name *head, const char *lane)
{
    const int64_t now = queue_now(queue);
    struct message_name token = lane_name_token(head, lane);
    const bool is_due = !head->due || head->due <= now;
    int there;
    token.position = page_next_positions(queue->page, token.priority, 1, now);
    token.time = head->due;
    const int moved = move_token(queue, dir, file, is_due ? MQ_READY : MQ_DELAYED, &token, &there);
    if (moved == 1 && head->due && is_due) { /* it was counted as delayed */
        page_add_messages(queue->page, MQ_DELAYED, -1);
        page_add_messages(queue->page, MQ_READY, 1);
    }
    return moved;
}

int lane_show_rest(mq_queue *queue, int dir, const char *file, const struct message_name *part)
{
    struct message_name token = lane_name_after(part);
    int there;
    token.position = page_next_positions(queue->page, token.priority, 1, queue_now(queue));
    return move_token(queue, dir, file, MQ_READY, &token, &there);
}
