/*
 * Sending many messages: those that have the same priority, due time and expiry share a file.
 *
 * The file's content is composed in memory and written by one call. Bodies that lie in the caller's memory as they will
 * lie in the file are not copied at all. The file is published like the file of one message. So the file system's costs
 * arise once for all messages of a file, and the disk's costs once for several files.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>

#include "base/clock.h"
#include "base/grow.h"
#include "base/id.h"
#include "base/io.h"
#include "base/put.h"
#include "format/encode.h"
#include "format/log_entry.h"
#include "lifecycle/draft.h"
#include "lifecycle/expire.h"
#include "lifecycle/outbox.h"
#include "lifecycle/publish.h"
#include "lifecycle/send.h"
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

/* What may end the bodies of messages that share their headers, in the order of trying. */
enum separation { BY_NEWLINE, BY_NULL, NOT_AT_ALL };

/* What the caller sends: messages, or one message that has one body after the other. */
struct input {
    mq_message *const *messages;
    mq_message *model; /* the message that has the bodies; NULL: `messages` */
    const struct iovec *bodies;
    enum separation separation;
    size_t count, taken;
    char (*ids)[MQ_ID_SIZE];
};

/* The messages of one file, as they are composed. */
struct batch {
    mq_queue *queue;
    const struct mq_send_options *options;
    uint32_t max_count, count;
    char *text; /* the memory serves one file after the other */
    size_t size, room;
    struct iovec
        in_place; /* the end of the content, if it lies in the caller's memory; the last separator follows it */
    char separator;
    int64_t now;
    char sent_at[CLOCK_RFC3339_SIZE];
    struct id_series ids;
    struct schedule schedule; /* of every message */
    struct message_name first;
    int64_t first_sent_at;    /* 0: now */
    char lane[LANE_KEY_SIZE]; /* of every message; empty: none */
    struct sent_files *files; /* NULL: what is sent is not taken back */
};

/* The message that is `ahead` messages behind the ones that were taken. */
static mq_message *message_at(const struct input *input, size_t ahead)
{
    const size_t index = input->taken + ahead;
    if (!input->model)
        return input->messages[index];
    mq_message_set_body(input->model, input->bodies[index].iov_base, input->bodies[index].iov_len);
    return input->model;
}

static char *id_at(const struct input *input, size_t ahead)
{
    return input->ids ? input->ids[input->taken + ahead] : NULL;
}

static uint32_t max_in_a_file(const mq_queue *queue, const struct mq_send_options *options)
{
    const uint64_t count = options->batch ? options->batch : queue->config.batch_count;
    return count < NAME_COUNT_MAX ? (uint32_t)count : NAME_COUNT_MAX;
}

static int begin_batch(struct batch *batch, mq_queue *queue, const struct mq_send_options *options)
{
    if (!GROW(batch->text, queue->config.batch_size, batch->room))
        return -ENOMEM;
    *batch = (struct batch){.queue = queue,
                            .options = options,
                            .max_count = max_in_a_file(queue, options),
                            .text = batch->text,
                            .room = batch->room,
                            .files = batch->files,
                            .now = queue_now(queue)};
    batch->ids = id_series(batch->now);
    clock_format_rfc3339(batch->now, batch->sent_at);
    return 0;
}

static bool is_same_schedule(const struct schedule *one, const struct schedule *other)
{
    return one->priority == other->priority && one->due == other->due && one->expires == other->expires &&
           one->attempts == other->attempts && one->max_attempts == other->max_attempts;
}

static bool fits(const struct batch *batch, const mq_message *message, const struct schedule *schedule)
{
    char lane[LANE_KEY_SIZE];
    return send_order_may_share(batch->queue, message, lane) && strcmp(lane, batch->lane) == 0 &&
           encode_room(message) <= batch->queue->config.batch_size - batch->size &&
           (batch->count == 0 || (batch->count < batch->max_count && is_same_schedule(&batch->schedule, schedule)));
}

/* The number of messages in an entry of a log is filled in when it is known. */
static char *begin_text(const struct batch *batch)
{
    return batch->queue->counts_entries ? log_entry_put_count(batch->text) : batch->text;
}

static void append(struct batch *batch, const mq_message *message, const struct schedule *schedule, char *ret_id)
{
    char made[MQ_ID_SIZE];
    const char *const id = message->name.id[0] ? message->name.id : made;
    if (batch->count == 0)
        batch->size = (size_t)(begin_text(batch) - batch->text);
    if (id == made)
        id_next(&batch->ids, made);
    char own[CLOCK_RFC3339_SIZE];
    if (message->sent_at)
        clock_format_rfc3339(message->sent_at, own);
    const char *end = encode_message(message, id, schedule->expires, message->sent_at ? own : batch->sent_at,
                                     batch->text + batch->size);
    batch->size = (size_t)(end - batch->text);
    if (ret_id)
        strcpy(ret_id, id);
    if (batch->count++ > 0)
        return;
    batch->schedule = *schedule;
    batch->first = draft_name(message, schedule);
    batch->first_sent_at = message->sent_at;
    strcpy(batch->first.id, id);
}

static int write_draft(const struct batch *batch, struct draft *ret_draft)
{
    struct message_name name = batch->first;
    name.count = batch->count;
    int error = draft_open(batch->queue, &name, batch->options, batch->now, ret_draft);
    if (error)
        return error;
    const size_t in_place = batch->in_place.iov_base ? batch->in_place.iov_len + sizeof batch->separator : 0;
    struct iovec parts[] = {{batch->text, batch->size - in_place},
                            batch->in_place,
                            {(void *)(uintptr_t)&batch->separator, sizeof batch->separator}};
    ret_draft->size = batch->size;
    if (batch->queue->counts_entries)
        log_entry_set_count(batch->text, batch->count);
    memcpy(ret_draft->lane, batch->lane, sizeof batch->lane);
    error = io_write_parts(ret_draft->file.file, parts, in_place ? 3 : 1);
    if (error)
        draft_close(ret_draft);
    else if (batch->first_sent_at)
        draft_set_age(ret_draft, batch->first_sent_at);
    return error;
}

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
    int error = write_draft(batch, &drafts->all[drafts->count]);
    drafts->count += !error;
    if (!error && drafts->count < drafts->max)
        return 0;
    const int published = publish_drafts(batch, drafts, sent);
    return published ? published : error;
}

static int send_singly(const struct batch *batch, const struct input *input, size_t count, size_t *sent)
{
    int error = 0;
    for (size_t i = 0; i < count && !error; i++) {
        error = mq_send(batch->queue, message_at(input, i), batch->options, id_at(input, i));
        *sent += !error;
    }
    return error;
}

/* Take messages, each with its headers, as long as they fit and have the same schedule. */
static void fill_with_messages(struct batch *batch, const struct input *input)
{
    for (size_t ahead = 0; input->taken + ahead < input->count; ahead++) {
        const mq_message *message = message_at(input, ahead);
        const struct schedule schedule = draft_schedule(batch->queue, message, batch->now);
        if (!fits(batch, message, &schedule))
            break;
        append(batch, message, &schedule, id_at(input, ahead));
    }
}

static char *begin_shared(struct batch *batch, const mq_message *model, char separator, struct id_series ids)
{
    batch->schedule = draft_schedule(batch->queue, model, batch->now);
    batch->first = draft_name(model, &batch->schedule);
    id_next(&ids, batch->first.id);
    return encode_shared(model, batch->first.id, batch->schedule.expires, batch->sent_at, separator, begin_text(batch));
}

/* Whether nothing but the separator lies between the previous body and this one. */
static bool is_adjacent(const struct iovec *body, char separator)
{
    const struct iovec *previous = body - 1;
    return (uintptr_t)body->iov_base == (uintptr_t)previous->iov_base + previous->iov_len + 1 &&
           ((const char *)body->iov_base)[-1] == separator;
}

static void put_bodies(const struct iovec *bodies, uint32_t count, char separator, char *to)
{
    for (uint32_t i = 0; i < count; i++) {
        if (bodies[i].iov_len > 0)
            to = put_bytes(to, bodies[i].iov_base, bodies[i].iov_len);
        *to++ = separator;
    }
}

/* Take bodies, behind headers that they share, as long as they fit. False: one of them contains the separator. */
static bool fill_with_bodies(struct batch *batch, const struct input *input, char separator)
{
    const struct config *config = &batch->queue->config;
    const struct iovec *const bodies = input->bodies + input->taken;
    struct id_series ids = batch->ids;
    bool separable = true, adjacent = true;
    if (encode_shared_room(input->model) > config->batch_size)
        return false;
    char *const begin = begin_shared(batch, input->model, separator, ids);
    const size_t room = config->batch_size - (size_t)(begin - batch->text);
    size_t size = 0;
    for (; batch->count < batch->max_count && input->taken + batch->count < input->count; batch->count++) {
        const struct iovec *body = &bodies[batch->count];
        separable = body->iov_len == 0 || !memchr(body->iov_base, separator, body->iov_len);
        if (!separable || body->iov_len > config->max_size || body->iov_len >= room - size)
            break;
        adjacent = adjacent && (batch->count == 0 || is_adjacent(body, separator));
        size += body->iov_len + 1;
        if (input->ids)
            id_next(&ids, id_at(input, batch->count));
    }
    encode_shared_length(begin, size);
    batch->size = (size_t)(begin - batch->text) + size;
    batch->separator = separator;
    if (adjacent && size > 0)
        batch->in_place = (struct iovec){bodies->iov_base, size - 1};
    else if (separable)
        put_bodies(bodies, batch->count, separator, begin);
    return separable;
}

/* Take the messages that can share a file. */
static void fill(struct batch *batch, struct input *input)
{
    for (; input->separation != NOT_AT_ALL; input->separation++) {
        if (fill_with_bodies(batch, input, input->separation == BY_NEWLINE ? '\n' : '\0'))
            return;
        batch->count = 0;
        batch->size = 0;
        batch->in_place = (struct iovec){0};
    }
    fill_with_messages(batch, input);
}

/* Send the next messages: several that share a file, or a single one. The number of messages sent, of these and of the
   earlier drafts, is added to `sent`. */
static int send_next(struct batch *batch, struct drafts *drafts, struct input *input, size_t *sent)
{
    int error = draft_check(batch->queue, message_at(input, 0));
    if (!error)
        error = draft_lane(batch->queue, message_at(input, 0), batch->lane);
    if (error < 0)
        return error;
    if (error == 0 || !batch->queue->outlet) /* what carries a transaction out reads the group of each file */
        fill(batch, input);
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

/* Each message that is sent once has a file of its own, and all of them wait for the disk together. */
static int send_each_once(mq_queue *queue, struct input *input, const struct mq_send_options *options, size_t *ret_sent)
{
    size_t sent = 0;
    int error = 0;
    bool is_unsafe = false;
    for (; input->taken < input->count && !error; input->taken++) {
        bool is_duplicate = false;
        error = send_message(queue, message_at(input, 0), options, false, id_at(input, 0), &is_duplicate);
        is_unsafe |= error == -EINPROGRESS;
        error = error == -EINPROGRESS ? 0 : error;
        if (!error && options->ret_duplicates)
            options->ret_duplicates[sent] = is_duplicate;
        sent += !error;
        *ret_sent = sent;
    }
    const int synced = sent > 0 && draft_is_durable(queue, options) ? fs_sync_around(queue->dir) : 0;
    *ret_sent = synced ? 0 : sent;
    if (!synced && sent > 0)
        expire_some(queue, queue_now(queue));
    return synced ? synced : error ? error : is_unsafe ? -EINPROGRESS : 0;
}

/* Send what is left of the input, and add the number of messages sent to `sent`. */
static int send_in_turn(struct batch *batch, struct input *input, size_t *sent)
{
    struct drafts drafts;
    int error = 0;
    drafts.count = 0;
    drafts.max = publish_max(batch->queue, batch->options);
    while (!error && input->taken < input->count) {
        error = begin_batch(batch, batch->queue, batch->options);
        if (!error)
            error = send_next(batch, &drafts, input, sent);
    }
    const int published = publish_drafts(batch, &drafts, sent);
    return error ? error : published;
}

/* ---- by groups ------------------------------------------------------------------------- */

/* Where the limit is reached in the middle, those that are sent have to be the first ones. */
static bool may_regroup(const mq_queue *queue, const struct input *input)
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
    struct input input = {
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
static int send_by_groups(struct batch *batch, struct input *input, size_t *sent)
{
    struct send_order order;
    const int made = send_order_make(batch->queue, input->messages, input->count, &order);
    if (made == 1 && send_ordered(batch, &order) == 0) {
        for (size_t i = 0; i < order.count && input->ids; i++)
            strcpy(id_at(input, order.numbers[i]), order.ids[i]);
        input->taken = *sent = order.count;
    }
    send_order_free(&order);
    return made < 0 ? made : 0;
}

static int send_input(mq_queue *queue, struct input *input, const struct mq_send_options *options, size_t *ret_sent)
{
    if (options->once)
        return send_each_once(queue, input, options, ret_sent);
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
    return max_in_a_file(queue, options) * publish_max(queue, options);
}

int mq_send_batch(mq_queue *queue, mq_message *const *messages, size_t count, const struct mq_send_options *options,
                  char (*ret_ids)[MQ_ID_SIZE], size_t *ret_sent)
{
    struct input input = {.messages = messages, .separation = NOT_AT_ALL, .count = count, .ids = ret_ids};
    return send_input(queue, &input, options, ret_sent);
}

int mq_send_bodies(mq_queue *queue, const mq_message *message, const struct iovec *bodies, size_t count,
                   const struct mq_send_options *options, char (*ret_ids)[MQ_ID_SIZE], size_t *ret_sent)
{
    mq_message model = *message;
    struct input input = {.model = &model, .bodies = bodies, .count = count, .ids = ret_ids};
    *ret_sent = 0;
    return message->name.id[0] ? -EINVAL : send_input(queue, &input, options, ret_sent);
}
