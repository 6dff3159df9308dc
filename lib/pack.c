/*
 * Sending many messages: those that agree in priority, due time and expiry share a file.
 *
 * They are written into memory, and from there with one write; the file is published like that of one message. So
 * the costs of the file system come once for all of them, and those of the disk once for several files.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "encode.h"
#include "expire.h"
#include "id.h"
#include "publish.h"

/* Files that are written and not published yet. */
struct window {
    struct draft drafts[PUBLISH_MOST];
    size_t count, most;
};

struct pack {
    mq_queue *queue;
    const struct mq_send_options *options;
    uint32_t most;
    char *text; /* the handle's */
    size_t size;
    int64_t now;
    char sent_at[CLOCK_RFC3339_SIZE];
    struct id_series ids;
    struct name name; /* of the first; `count` of all */
};

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

static bool goes_in_a_pack(const struct pack *pack, const mq_message *message)
{
    return message->body_fd < 0 && encode_room(message) <= pack->queue->config.batch_size;
}

static bool agree(const struct name *one, const struct name *other)
{
    return one->priority == other->priority && one->time == other->time && one->expires == other->expires;
}

static bool fits(const struct pack *pack, const mq_message *message, const struct name *name)
{
    return pack->name.count == 0 || (pack->name.count < pack->most && agree(&pack->name, name) &&
                                     pack->size + encode_room(message) <= pack->queue->config.batch_size);
}

static void add(struct pack *pack, const mq_message *message, struct name *name, char *ret_id)
{
    if (!name->id[0])
        id_next(&pack->ids, name->id);
    const char *end = encode_message(message, name, pack->sent_at, pack->text + pack->size);
    pack->size = (size_t)(end - pack->text);
    if (ret_id)
        memcpy(ret_id, name->id, strlen(name->id) + 1);
    const uint32_t count = pack->name.count;
    if (count == 0)
        pack->name = *name;
    pack->name.count = count + 1;
}

static int write_draft(const struct pack *pack, struct draft *ret_draft)
{
    *ret_draft = (struct draft){.name = pack->name,
                                .state = publish_state(&pack->name, pack->now),
                                .size = pack->size,
                                .durable = is_durable(pack->queue, pack->options)};
    int error = publish_open(pack->queue, ret_draft);
    if (error)
        return error;
    error = fs_write_all(ret_draft->file.file, pack->text, pack->size);
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
    pack->size = 0;
    pack->name.count = 0;
    if (!error && window->count < window->most)
        return 0;
    const int published = publish_window(pack, window, sent);
    return published ? published : error;
}

static char *id_at(char (*ids)[MQ_ID_SIZE], size_t index)
{
    return ids ? ids[index] : NULL;
}

static int send_each(mq_queue *queue, mq_message *const *messages, size_t count, const struct mq_send_options *options,
                     char (*ret_ids)[MQ_ID_SIZE], size_t *sent)
{
    int error = 0;
    for (size_t i = 0; i < count && !error; i++) {
        error = mq_send(queue, messages[i], options, id_at(ret_ids, i));
        *sent += !error;
    }
    return error;
}

/* The messages that come first and share a file; how many were taken is added to `taken`, and to `sent` how many of
   those and of the ones in the window were sent. */
static int send_pack(struct pack *pack, struct window *window, mq_message *const *messages, size_t count,
                     char (*ret_ids)[MQ_ID_SIZE], size_t *taken, size_t *sent)
{
    size_t packed = 0;
    for (; packed < count && goes_in_a_pack(pack, messages[packed]); packed++) {
        struct name name = publish_name(pack->queue, messages[packed], pack->now);
        if (messages[packed]->body_size > pack->queue->config.max_size || !fits(pack, messages[packed], &name))
            break;
        add(pack, messages[packed], &name, id_at(ret_ids, packed));
    }
    *taken += packed > 1 ? packed : 1;
    if (packed <= 1) { /* or one that does not go into a pack at all */
        const int error = publish_window(pack, window, sent);
        return error ? error : send_each(pack->queue, messages, 1, pack->options, ret_ids, sent);
    }
    const int error = flush(pack, window, sent);
    if (error == -ENOBUFS) /* as many as there is room for */
        return send_each(pack->queue, messages, packed, pack->options, ret_ids, sent);
    return error;
}

size_t mq_send_batch_most(const mq_queue *queue, const struct mq_send_options *options)
{
    return most_in_a_file(queue, options) * publish_most(queue, is_durable(queue, options));
}

int mq_send_batch(mq_queue *queue, mq_message *const *messages, size_t count, const struct mq_send_options *options,
                  char (*ret_ids)[MQ_ID_SIZE], size_t *ret_sent)
{
    size_t taken = 0;
    struct pack pack = {.queue = queue, .options = options};
    struct window window;
    int error = queue_refresh(queue);
    window.count = 0;
    window.most = publish_most(queue, is_durable(queue, options));
    *ret_sent = 0;
    while (!error && taken < count) {
        error = begin(&pack, queue, options);
        if (!error)
            error = send_pack(&pack, &window, messages + taken, count - taken, ret_ids ? ret_ids + taken : NULL, &taken,
                              ret_sent);
    }
    const int published = publish_window(&pack, &window, ret_sent);
    if (!error)
        error = published;
    if (!error)
        expire_some(queue, clock_now());
    return error;
}
