/*
 * Sending to topics once. The draft is a transaction: a directory in the topic's feed/tmp/ that goes to all queues of the
 * route or to none. The slots and marks are the topic's, so that it does not matter which queues are bound when the same
 * is sent again.
 */
#include <unistd.h>

#include "route/fan_out.h"
#include "store/access.h"
#include "txn/transaction.h"

static int name_draft(struct outlet *outlet, mq_queue *feed, struct draft *draft, int tmp, const char *text)
{
    (void)feed;
    (void)draft;
    return transaction_begin_in(((mq_topic *)outlet)->own, tmp, text);
}

static int deliver_draft(struct outlet *outlet, mq_queue *feed, int tmp, const char *text, uint32_t count, bool sync)
{
    (void)feed;
    (void)count;
    return transaction_commit_from(((mq_topic *)outlet)->own, tmp, text, sync);
}

const struct outlet_once fan_out_once = {.name = name_draft, .fill = fan_out_take, .deliver = deliver_draft};

/* A handle for transactions, and how the topic is shared. */
static int prepare(mq_topic *topic)
{
    int error = topic->own ? 0 : transaction_new(topic->spool_path, &topic->own);
    if (error || topic->outlet.sharing)
        return error;
    const int dir = topic_open_dir(topic->spool, topic->name);
    error = dir < 0 ? dir : access_read_topic(dir, &topic->outlet.sharing);
    if (dir >= 0)
        close(dir);
    return error;
}

int fan_out_send_once(mq_topic *topic, const struct fan_out_load *load, int64_t dedup_window)
{
    const int error = prepare(topic);
    topic->feed->config.dedup_window = dedup_window;
    return error ? error : fan_out_send_to_several(topic, topic->own, load);
}
