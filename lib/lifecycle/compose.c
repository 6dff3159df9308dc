/* Composing files of several messages. */
#include "lifecycle/compose.h"

#include <errno.h>
#include <string.h>

#include "base/grow.h"
#include "base/io.h"
#include "base/put.h"
#include "format/encode.h"
#include "format/log_entry.h"
#include "lifecycle/send_order.h"

mq_message *compose_message(const struct send_input *input, size_t ahead)
{
    const size_t index = input->taken + ahead;
    if (!input->model)
        return input->messages[index];
    mq_message_set_body(input->model, input->bodies[index].iov_base, input->bodies[index].iov_len);
    return input->model;
}

char *compose_id(const struct send_input *input, size_t ahead)
{
    return input->ids ? input->ids[input->taken + ahead] : NULL;
}

uint32_t compose_most(const mq_queue *queue, const struct mq_send_options *options)
{
    const uint64_t count = options->batch ? options->batch : queue->config.batch_count;
    return count < NAME_COUNT_MAX ? (uint32_t)count : NAME_COUNT_MAX;
}

int compose_begin(struct batch *batch, mq_queue *queue, const struct mq_send_options *options)
{
    if (!GROW(batch->text, queue->config.batch_size, batch->room))
        return -ENOMEM;
    *batch = (struct batch){.queue = queue,
                            .options = options,
                            .max_count = compose_most(queue, options),
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

bool compose_fits(const struct batch *batch, const mq_message *message, const struct schedule *schedule)
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

void compose_append(struct batch *batch, const mq_message *message, const struct schedule *schedule, const char *id)
{
    if (batch->count == 0)
        batch->size = (size_t)(begin_text(batch) - batch->text);
    char own[CLOCK_RFC3339_SIZE];
    if (message->sent_at)
        clock_format_rfc3339(message->sent_at, own);
    const char *end = encode_message(message, id, schedule->expires, message->sent_at ? own : batch->sent_at,
                                     batch->text + batch->size);
    batch->size = (size_t)(end - batch->text);
    if (batch->count++ > 0)
        return;
    batch->schedule = *schedule;
    batch->first = draft_name(message, schedule);
    batch->first_sent_at = message->sent_at;
    strcpy(batch->first.id, id);
}

/* Take messages, each with its headers, as long as they fit and have the same schedule. */
static void fill_with_messages(struct batch *batch, const struct send_input *input)
{
    for (size_t ahead = 0; input->taken + ahead < input->count; ahead++) {
        const mq_message *message = compose_message(input, ahead);
        const struct schedule schedule = draft_schedule(batch->queue, message, batch->now);
        if (!compose_fits(batch, message, &schedule))
            break;
        char made[MQ_ID_SIZE];
        const char *const id = message->name.id[0] ? message->name.id : made;
        if (id == made)
            id_next(&batch->ids, made);
        compose_append(batch, message, &schedule, id);
        if (input->ids)
            strcpy(compose_id(input, ahead), id);
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
static bool fill_with_bodies(struct batch *batch, const struct send_input *input, char separator)
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
            id_next(&ids, compose_id(input, batch->count));
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

void compose_fill(struct batch *batch, struct send_input *input)
{
    if (input->model && batch->lane[0] && !send_order_fits_lane(input->model))
        return;
    for (; input->separation != NOT_AT_ALL; input->separation++) {
        if (fill_with_bodies(batch, input, input->separation == BY_NEWLINE ? '\n' : '\0'))
            return;
        batch->count = 0;
        batch->size = 0;
        batch->in_place = (struct iovec){0};
    }
    fill_with_messages(batch, input);
}

int compose_write(const struct batch *batch, struct draft *draft)
{
    const size_t in_place = batch->in_place.iov_base ? batch->in_place.iov_len + sizeof batch->separator : 0;
    struct iovec parts[] = {{batch->text, batch->size - in_place},
                            batch->in_place,
                            {(void *)(uintptr_t)&batch->separator, sizeof batch->separator}};
    draft->size = batch->size;
    if (batch->queue->counts_entries)
        log_entry_set_count(batch->text, batch->count);
    const int error = io_write_parts(draft->file.file, parts, in_place ? 3 : 1);
    if (!error && batch->first_sent_at)
        draft_set_age(draft, batch->first_sent_at);
    return error;
}

int compose_draft(const struct batch *batch, struct draft *ret_draft)
{
    struct message_name name = batch->first;
    name.count = batch->count;
    int error = draft_open(batch->queue, &name, batch->options, batch->now, ret_draft);
    if (error)
        return error;
    memcpy(ret_draft->lane, batch->lane, sizeof batch->lane);
    error = compose_write(batch, ret_draft);
    if (error)
        draft_close(ret_draft);
    return error;
}
