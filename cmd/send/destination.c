/* Where mq-send and mq-bridge send to. */
#include "send/destination.h"

#include <string.h>

#include "cli/cli.h"

#define TOPIC_BATCH 256 /* as queues have it by default */

/* A queue is what most sends are to: whether it is a topic or a log is asked only if there is no such queue. */
int destination_open(struct destination *destination, const char *name)
{
    destination->name = name;
    if (mq_group_name_is_valid(name))
        return cli_fail(STATUS_USAGE, name, "a group takes the messages of its log: send to %.*s",
                        (int)strcspn(name, "/"), name);
    return cli_open_any(name, MQ_CREATE, &destination->queue, &destination->topic, &destination->log);
}

void destination_close(struct destination *destination)
{
    mq_close(destination->queue);
    mq_topic_close(destination->topic);
    mq_log_close(destination->log);
}

int destination_send(const struct destination *to, mq_message *message, const struct mq_send_options *options,
                     char *ret_id, uint64_t *ret_offset)
{
    if (to->log)
        return mq_log_send(to->log, to->tx, message, options, ret_id, ret_offset);
    if (to->topic)
        return mq_topic_send(to->topic, to->tx, message, options, ret_id);
    return to->tx ? mq_tx_send(to->tx, to->queue, message, options, ret_id)
                  : mq_send(to->queue, message, options, ret_id);
}

int destination_send_batch(const struct destination *to, mq_message *const *messages, size_t count,
                           const struct mq_send_options *options, char (*ret_ids)[MQ_ID_SIZE], uint64_t *ret_offsets,
                           size_t *ret_sent)
{
    if (to->log)
        return mq_log_send_batch(to->log, to->tx, messages, count, options, ret_ids, ret_offsets, ret_sent);
    if (to->topic)
        return mq_topic_send_batch(to->topic, to->tx, messages, count, options, ret_ids, ret_sent);
    return to->tx ? mq_tx_send_batch(to->tx, to->queue, messages, count, options, ret_ids, ret_sent)
                  : mq_send_batch(to->queue, messages, count, options, ret_ids, ret_sent);
}

int destination_send_bodies(const struct destination *to, const mq_message *message, const struct iovec *bodies,
                            size_t count, const struct mq_send_options *options, char (*ret_ids)[MQ_ID_SIZE],
                            uint64_t *ret_offsets, size_t *ret_sent)
{
    if (to->log)
        return mq_log_send_bodies(to->log, to->tx, message, bodies, count, options, ret_ids, ret_offsets, ret_sent);
    if (to->topic)
        return mq_topic_send_bodies(to->topic, to->tx, message, bodies, count, options, ret_ids, ret_sent);
    return to->tx ? mq_tx_send_bodies(to->tx, to->queue, message, bodies, count, options, ret_ids, ret_sent)
                  : mq_send_bodies(to->queue, message, bodies, count, options, ret_ids, ret_sent);
}

size_t destination_batch_most(const struct destination *to, const struct mq_send_options *options)
{
    if (to->log)
        return mq_log_batch_most(to->log, options);
    if (!to->topic)
        return mq_send_batch_most(to->queue, options);
    return options->batch ? (size_t)options->batch : TOPIC_BATCH;
}
