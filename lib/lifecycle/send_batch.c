/*
 * Sending many messages: those that have the same priority, due time and expiry share a file, which is published like the
 * file of one message. So the file system's costs arise once for all messages of a file, and the disk's costs once for
 * several files.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "format/message.h"
#include "lifecycle/compose.h"
#include "lifecycle/expire.h"
#include "lifecycle/outbox.h"
#include "lifecycle/publish.h"
#include "lifecycle/send.h"
#include "lifecycle/send_input_once.h"
#include "lifecycle/send_order.h"

/* A file of messages that are sent, as far as it has to be known to take them back. */
struct sent_file {
    char lane[LANE_KEY_SIZE];
    enum mq_state state;
    struct message_name name;
    uint64_t size;
};

struct sent_files {
    struct sent_file *all; /* room for a file of each message */
    size_t count;
};

/* Files that are written but not published yet. */
struct drafts {
    struct draft all[PUBLISH_MAX];
    size_t count, max;
};

static void note_sent(struct sent_files *files, const struct draft *draft)
{
    struct sent_file *file = &files->all[files->count++];
    *file = (struct sent_file){.state = draft->state, .name = draft->name, .size = draft->size};
    memcpy(file->lane, draft->lane, sizeof file->lane);
}

/* Publish the drafts, and add the number of messages sent to `sent`. */
static int publish_drafts(const struct batch *batch, struct drafts *drafts, size_t *sent)
{
    size_t published;
    const int error = publish(batch->queue, drafts->all, drafts->count, batch->options, &published);
    for (size_t i = 0; i < drafts->count; i++) {
        *sent += i < published ? drafts->all[i].name.count : 0;
        if (i < published && batch->files)
            note_sent(batch->files, &drafts->all[i]);
        draft_close(&drafts->all[i]);
    }
    drafts->count = 0;
    return error;
}

/* Write a batch to a draft. Publish the drafts when there are as many as one call of publish can take. */
static int write_batch(const struct batch *batch, struct drafts *drafts, size_t *sent)
{
    int error = compose_draft(batch, &drafts->all[drafts->count]);
    drafts->count += !error;
    if (!error && drafts->count < drafts->max)
        return 0;
    const int published = publish_drafts(batch, drafts, sent);
    return published ? published : error;
}

static int send_singly(const struct batch *batch, const struct send_input *input, size_t count, size_t *sent)
{
    int error = 0;
    for (size_t i = 0; i < count && !error; i++) {
        error = mq_send(batch->queue, compose_message(input, i), batch->options, compose_id(input, i));
        *sent += !error;
    }
    return error;
}

/* Send the next messages: several that share a file, or a single one. The number of messages sent, of these and of the
   earlier drafts, is added to `sent`. */
static int send_next(struct batch *batch, struct drafts *drafts, struct send_input *input, size_t *sent)
{
    int error = draft_check(batch->queue, compose_message(input, 0));
    if (!error)
        error = draft_lane(batch->queue, compose_message(input, 0), batch->lane);
    if (error < 0)
        return error;
    if (error == 0 || !batch->queue->outlet) /* what carries a transaction out reads the group of each file */
        compose_fill(batch, input);
    const size_t count = batch->count > 1 ? batch->count : 1;
    if (batch->files) {
        error = batch->count > 0 ? write_batch(batch, drafts, sent) : -EAGAIN;
    } else if (count == 1) {
        error = publish_drafts(batch, drafts, sent);
        error = error ? error : send_singly(batch, input, 1, sent);
    } else {
        error = write_batch(batch, drafts, sent);
        if (error == -ENOBUFS) /* there is no room for all of them, but there may be for some */
            error = send_singly(batch, input, count, sent);
    }
    input->taken += count;
    return error;
}

/* Send what is left of the input, and add the number of messages sent to `sent`. */
static int send_in_turn(struct batch *batch, struct send_input *input, size_t *sent)
{
    struct drafts drafts;
    int error = 0;
    drafts.count = 0;
    drafts.max = publish_max(batch->queue, batch->options);
    while (!error && input->taken < input->count) {
        error = compose_begin(batch, batch->queue, batch->options);
        if (!error)
            error = send_next(batch, &drafts, input, sent);
    }
    const int published = publish_drafts(batch, &drafts, sent);
    return error ? error : published;
}

/* ---- by groups ------------------------------------------------------------------------- */

/* Where the limit is reached in the middle, those that are sent have to be the first ones. */
static bool may_regroup(const mq_queue *queue, const struct send_input *input)
{
    const struct config *config = &queue->config;
    return config->order == CONFIG_GROUP && !queue->outlet && !input->model && config->max_depth == 0 &&
           config->max_bytes == 0;
}

/* Either all of them are sent, or those that were are taken back. A receiver may have taken some meanwhile. */
static int send_ordered(struct batch *batch, const struct send_order *order)
{
    struct mq_send_options options = *batch->options;
    struct sent_files files = {.all = calloc(order->count, sizeof *files.all)};
    struct send_input input = {
        .messages = order->messages, .separation = NOT_AT_ALL, .count = order->count, .ids = order->ids};
    size_t sent = 0;
    if (!files.all)
        return -ENOMEM;
    options.block = 0; /* whoever waits for room sends in turn */
    const struct mq_send_options *const own = batch->options;
    batch->options = &options;
    batch->files = &files;
    const int error = send_in_turn(batch, &input, &sent);
    batch->options = own;
    batch->files = NULL;
    for (size_t i = 0; i < files.count && error; i++) {
        const struct sent_file *file = &files.all[i];
        publish_take_back(batch->queue, file->lane, file->state, &file->name, file->size);
    }
    free(files.all);
    return error;
}

/* The messages of a group share files also where others come between them. What cannot be sent so is sent in turn. */
static int send_by_groups(struct batch *batch, struct send_input *input, size_t *sent)
{
    struct send_order order;
    const int made = send_order_make(batch->queue, input->messages, input->count, &order);
    if (made == 1 && send_ordered(batch, &order) == 0) {
        for (size_t i = 0; i < order.count && input->ids; i++)
            strcpy(compose_id(input, order.numbers[i]), order.ids[i]);
        input->taken = *sent = order.count;
    }
    send_order_free(&order);
    return made < 0 ? made : 0;
}

static int send_input(mq_queue *queue, struct send_input *input, const struct mq_send_options *options,
                      size_t *ret_sent)
{
    if (options->once)
        return send_input_once(queue, input, options, ret_sent);
    struct batch batch = {.queue = queue, .options = options};
    int error = queue_refresh(queue);
    *ret_sent = 0;
    if (!error && input->count > 2 && may_regroup(queue, input))
        error = send_by_groups(&batch, input, ret_sent);
    if (!error)
        error = send_in_turn(&batch, input, ret_sent);
    free(batch.text);
    if (!error) {
        const int64_t now = queue_now(queue);
        expire_some(queue, now);
        (void)outbox_look(queue, now, false);
    }
    return error;
}

size_t mq_send_batch_most(const mq_queue *queue, const struct mq_send_options *options)
{
    return compose_most(queue, options) * publish_max(queue, options);
}

int mq_send_batch(mq_queue *queue, mq_message *const *messages, size_t count, const struct mq_send_options *options,
                  char (*ret_ids)[MQ_ID_SIZE], size_t *ret_sent)
{
    struct send_input input = {.messages = messages, .separation = NOT_AT_ALL, .count = count, .ids = ret_ids};
    return send_input(queue, &input, options, ret_sent);
}

int mq_send_bodies(mq_queue *queue, const mq_message *message, const struct iovec *bodies, size_t count,
                   const struct mq_send_options *options, char (*ret_ids)[MQ_ID_SIZE], size_t *ret_sent)
{
    mq_message model = *message;
    struct send_input input = {.model = &model, .bodies = bodies, .count = count, .ids = ret_ids};
    *ret_sent = 0;
    return message->name.id[0] ? -EINVAL : send_input(queue, &input, options, ret_sent);
}
