/*
 * Sending many messages: those that agree in priority, due time and expiry share a file.
 *
 * They are written into memory, and from there with one write; bodies that lie in the caller's memory as they are to
 * lie in the file are not even copied. The file is published like that of one message. So the costs of the file system
 * come once for all of them, and those of the disk once for several files.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>

#include "base/clock.h"
#include "base/id.h"
#include "base/put.h"
#include "format/encode.h"
#include "lifecycle/expire.h"
#include "lifecycle/outbox.h"
#include "lifecycle/publish.h"

/* Files that are written and not published yet. */
struct window {
    struct draft drafts[PUBLISH_MOST];
    size_t count, most;
};

/* What may end the bodies of messages that share their headers, in the order in which it is tried. */
enum separation { BY_NEWLINE, BY_NULL, NOT_AT_ALL };

/* What is to be sent: messages, or one message that has one body after the other. */
struct load {
    mq_message *const *messages;
    mq_message *model; /* has the bodies; NULL: messages */
    const struct iovec *bodies;
    enum separation separation;
    size_t count, taken;
    char (*ids)[MQ_ID_SIZE];
};

/* The messages of one file. */
struct pack {
    mq_queue *queue;
    const struct mq_send_options *options;
    uint32_t most, count;
    char *text; /* the handle's */
    size_t size;
    struct iovec apart; /* what of it is in the caller's memory instead, but for the separator behind it; or none */
    char separator;
    int64_t now;
    char sent_at[CLOCK_RFC3339_SIZE];
    struct id_series ids;
    struct schedule schedule; /* of all */
    struct message_name first;
};

/* The one so far behind those that were taken. */
static mq_message *message_at(const struct load *load, size_t ahead)
{
    const size_t index = load->taken + ahead;
    if (!load->model)
        return load->messages[index];
    mq_message_set_body(load->model, load->bodies[index].iov_base, load->bodies[index].iov_len);
    return load->model;
}

static char *id_at(const struct load *load, size_t ahead)
{
    return load->ids ? load->ids[load->taken + ahead] : NULL;
}

static uint32_t most_in_a_file(const mq_queue *queue, const struct mq_send_options *options)
{
    const uint64_t most = options->batch ? options->batch : queue->config.batch_count;
    return most < NAME_COUNT_MAX ? (uint32_t)most : NAME_COUNT_MAX;
}

static bool is_durable(const mq_queue *queue, const struct mq_send_options *options)
{
    return queue->config.durable && !options->no_sync;
}

static int begin(struct pack *pack, mq_queue *queue, const struct mq_send_options *options)
{
    const size_t room = queue->config.batch_size;
    if (queue->pack_room < room) {
        char *text = realloc(queue->pack, room);
        if (!text)
            return -ENOMEM;
        queue->pack = text;
        queue->pack_room = room;
    }
    *pack = (struct pack){.queue = queue,
                          .options = options,
                          .most = most_in_a_file(queue, options),
                          .text = queue->pack,
                          .now = clock_now()};
    pack->ids = id_series(pack->now);
    clock_format_rfc3339(pack->now, pack->sent_at);
    return 0;
}

static bool agree(const struct schedule *one, const struct schedule *other)
{
    return one->priority == other->priority && one->time == other->time && one->expires == other->expires;
}

static bool fits(const struct pack *pack, const mq_message *message, const struct schedule *schedule)
{
    const struct config *config = &pack->queue->config;
    return message->body_fd < 0 && message->body_size <= config->max_size &&
           encode_room(message) <= config->batch_size - pack->size &&
           (pack->count == 0 || (pack->count < pack->most && agree(&pack->schedule, schedule)));
}

static void add(struct pack *pack, const mq_message *message, const struct schedule *schedule, char *ret_id)
{
    char made[MQ_ID_SIZE];
    const char *const id = message->name.id[0] ? message->name.id : made;
    if (id == made)
        id_next(&pack->ids, made);
    const char *end = encode_message(message, id, schedule->expires, pack->sent_at, pack->text + pack->size);
    pack->size = (size_t)(end - pack->text);
    if (ret_id)
        strcpy(ret_id, id);
    if (pack->count++ > 0)
        return;
    pack->schedule = *schedule;
    pack->first = publish_name(message, schedule);
    strcpy(pack->first.id, id);
}

static int write_draft(const struct pack *pack, struct draft *ret_draft)
{
    *ret_draft = (struct draft){.name = pack->first,
                                .state = publish_state(&pack->first, pack->now),
                                .size = pack->size,
                                .durable = is_durable(pack->queue, pack->options)};
    ret_draft->name.count = pack->count;
    int error = publish_open(pack->queue, ret_draft);
    if (error)
        return error;
    const size_t apart = pack->apart.iov_base ? pack->apart.iov_len + sizeof pack->separator : 0;
    struct iovec parts[] = {
        {pack->text, pack->size - apart}, pack->apart, {(void *)(uintptr_t)&pack->separator, sizeof pack->separator}};
    error = fs_write_parts(ret_draft->file.file, parts, apart ? 3 : 1);
    if (error)
        publish_close(ret_draft);
    return error;
}

/* How many messages were sent is added to `sent`. */
static int publish_window(const struct pack *pack, struct window *window, size_t *sent)
{
    size_t published;
    const int error = publish(pack->queue, window->drafts, window->count, pack->options, &published);
    for (size_t i = 0; i < window->count; i++) {
        *sent += i < published ? window->drafts[i].name.count : 0;
        publish_close(&window->drafts[i]);
    }
    window->count = 0;
    return error;
}

static int flush(struct pack *pack, struct window *window, size_t *sent)
{
    int error = write_draft(pack, &window->drafts[window->count]);
    window->count += !error;
    if (!error && window->count < window->most)
        return 0;
    const int published = publish_window(pack, window, sent);
    return published ? published : error;
}

static int send_each(const struct pack *pack, const struct load *load, size_t count, size_t *sent)
{
    int error = 0;
    for (size_t i = 0; i < count && !error; i++) {
        error = mq_send(pack->queue, message_at(load, i), pack->options, id_at(load, i));
        *sent += !error;
    }
    return error;
}

/* Those that come first and agree, each with its headers. */
static void fill_with_messages(struct pack *pack, const struct load *load)
{
    for (size_t ahead = 0; load->taken + ahead < load->count; ahead++) {
        const mq_message *message = message_at(load, ahead);
        const struct schedule schedule = publish_schedule(pack->queue, message, pack->now);
        if (!fits(pack, message, &schedule))
            break;
        add(pack, message, &schedule, id_at(load, ahead));
    }
}

static char *begin_shared(struct pack *pack, const mq_message *model, char separator, struct id_series ids)
{
    pack->schedule = publish_schedule(pack->queue, model, pack->now);
    pack->first = publish_name(model, &pack->schedule);
    id_next(&ids, pack->first.id);
    return encode_shared(model, pack->first.id, pack->schedule.expires, pack->sent_at, separator, pack->text);
}

/* Whether there is nothing but the separator between the body before this one and it. */
static bool follows(const struct iovec *body, char separator)
{
    const struct iovec *before = body - 1;
    return (uintptr_t)body->iov_base == (uintptr_t)before->iov_base + before->iov_len + 1 &&
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

/* Bodies behind headers that they share, as many as fit. False: one of them has the separator in it. */
static bool fill_with_bodies(struct pack *pack, const struct load *load, char separator)
{
    const struct config *config = &pack->queue->config;
    const struct iovec *const bodies = load->bodies + load->taken;
    struct id_series ids = pack->ids;
    bool separable = true, together = true;
    if (encode_shared_room(load->model) > config->batch_size)
        return false;
    char *const begin = begin_shared(pack, load->model, separator, ids);
    const size_t room = config->batch_size - (size_t)(begin - pack->text);
    size_t size = 0;
    for (; pack->count < pack->most && load->taken + pack->count < load->count; pack->count++) {
        const struct iovec *body = &bodies[pack->count];
        separable = body->iov_len == 0 || !memchr(body->iov_base, separator, body->iov_len);
        if (!separable || body->iov_len > config->max_size || body->iov_len >= room - size)
            break;
        together = together && (pack->count == 0 || follows(body, separator));
        size += body->iov_len + 1;
        if (load->ids)
            id_next(&ids, id_at(load, pack->count));
    }
    encode_shared_length(begin, size);
    pack->size = (size_t)(begin - pack->text) + size;
    pack->separator = separator;
    if (together && size > 0)
        pack->apart = (struct iovec){bodies->iov_base, size - 1};
    else if (separable)
        put_bodies(bodies, pack->count, separator, begin);
    return separable;
}

/* Those that come first and share a file: as many as there are in the pack then. */
static void fill(struct pack *pack, struct load *load)
{
    for (; load->separation != NOT_AT_ALL; load->separation++) {
        if (fill_with_bodies(pack, load, load->separation == BY_NEWLINE ? '\n' : '\0'))
            return;
        pack->count = 0;
        pack->size = 0;
        pack->apart = (struct iovec){0};
    }
    fill_with_messages(pack, load);
}

/* A file's worth of messages, or one that does not share a file. How many of those and of the ones in the window were
   sent is added to `sent`. */
static int send_pack(struct pack *pack, struct window *window, struct load *load, size_t *sent)
{
    fill(pack, load);
    const size_t count = pack->count > 1 ? pack->count : 1;
    int error;
    if (count == 1) {
        error = publish_window(pack, window, sent);
        error = error ? error : send_each(pack, load, 1, sent);
    } else {
        error = flush(pack, window, sent);
        if (error == -ENOBUFS) /* as many as there is room for */
            error = send_each(pack, load, count, sent);
    }
    load->taken += count;
    return error;
}

static int send_load(mq_queue *queue, struct load *load, const struct mq_send_options *options, size_t *ret_sent)
{
    struct pack pack = {.queue = queue, .options = options};
    struct window window;
    int error = queue_refresh(queue);
    window.count = 0;
    window.most = publish_most(queue, is_durable(queue, options));
    *ret_sent = 0;
    while (!error && load->taken < load->count) {
        error = begin(&pack, queue, options);
        if (!error)
            error = send_pack(&pack, &window, load, ret_sent);
    }
    const int published = publish_window(&pack, &window, ret_sent);
    if (!error)
        error = published;
    if (!error) {
        const int64_t now = clock_now();
        expire_some(queue, now);
        (void)outbox_look(queue, now, false);
    }
    return error;
}

size_t mq_send_batch_most(const mq_queue *queue, const struct mq_send_options *options)
{
    return most_in_a_file(queue, options) * publish_most(queue, is_durable(queue, options));
}

int mq_send_batch(mq_queue *queue, mq_message *const *messages, size_t count, const struct mq_send_options *options,
                  char (*ret_ids)[MQ_ID_SIZE], size_t *ret_sent)
{
    struct load load = {.messages = messages, .separation = NOT_AT_ALL, .count = count, .ids = ret_ids};
    return send_load(queue, &load, options, ret_sent);
}

int mq_send_bodies(mq_queue *queue, const mq_message *message, const struct iovec *bodies, size_t count,
                   const struct mq_send_options *options, char (*ret_ids)[MQ_ID_SIZE], size_t *ret_sent)
{
    mq_message model = *message;
    struct load load = {.model = &model, .bodies = bodies, .count = count, .ids = ret_ids};
    *ret_sent = 0;
    return message->name.id[0] ? -EINVAL : send_load(queue, &load, options, ret_sent);
}
