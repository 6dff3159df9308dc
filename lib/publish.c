/*
 * Publishing.
 *
 * The file is written without a name, synced, and then linked into its bucket: until the link
 * nobody sees it, and a crash before leaves at most a file in tmp/. The link decides.
 * Then the bucket is synced, and the directory it lies in unless its name is known to be durable.
 */
#include "publish.h"

#include <errno.h>
#include <poll.h>
#include <string.h>

#include "bucket.h"
#include "clock.h"
#include "expire.h"
#include "id.h"
#include "message.h"
#include "move.h"
#include "stats.h"

#define TRIES 100

/* A writer gives up after a day; sweep.c takes a file in tmp/ for abandoned only well after that. */
#define WRITER_LIFE (24 * 3600 * CLOCK_SECOND)

#define FULL_POLL_FIRST 5 /* milliseconds between looks at a full queue */
#define FULL_POLL_MOST 100

/* ---- room ----------------------------------------------------------------------- */

/* Reserve places under max-depth. -ENOBUFS: the queue is full. */
static int reserve(mq_queue *queue, const struct draft *draft)
{
    const int64_t count = draft->name.count;
    page_add_messages(queue->page, draft->state, count);
    if (queue->config.max_depth == 0 || queue_only_sends(queue)) /* who may not look cannot count */
        return 0;
    bool full;
    const int error = stats_is_over(queue, queue->config.max_depth, draft->name.count, &full);
    if (error || full)
        page_add_messages(queue->page, draft->state, -count);
    return error ? error : full ? -ENOBUFS : 0;
}

/* Sleep until there may be room. 0 look again, -ENOBUFS the time is up, -ECANCELED. */
static int wait_for_room(const struct mq_send_options *options, int64_t since, int *pause)
{
    if (options->block != MQ_FOREVER && clock_monotonic() - since >= options->block)
        return -ENOBUFS;
    struct pollfd cancel = {.fd = options->cancel_fd, .events = POLLIN};
    if (poll(&cancel, 1, *pause) > 0)
        return -ECANCELED;
    *pause = *pause * 2 < FULL_POLL_MOST ? *pause * 2 : FULL_POLL_MOST;
    return 0;
}

static int reserve_or_wait(mq_queue *queue, const struct draft *draft, const struct mq_send_options *options)
{
    const int64_t since = clock_monotonic();
    int pause = FULL_POLL_FIRST, error;
    while ((error = reserve(queue, draft)) == -ENOBUFS && options->block != 0) {
        error = wait_for_room(options, since, &pause);
        if (!error)
            error = queue_refresh(queue);
        if (!error)
            error = expire_all(queue, clock_now());
        if (error)
            break;
    }
    return error;
}

/* ---- publishing ----------------------------------------------------------------- */

/* Its place in the queue, as late as can be, so that the order of positions is the order of publication. In the inbox
   the time is the order. */
static void place(mq_queue *queue, struct draft *draft, char ret_bucket[NAME_BUCKET_SIZE])
{
    const int64_t now = clock_now();
    struct name *name = &draft->name;
    if (!queue_only_sends(queue)) {
        name->position = page_next_positions(queue->page, name->priority, name->count, now);
        name_format_bucket(draft->state, name, ret_bucket);
        return;
    }
    name->position = id_random() >> (64 - NAME_NO_PLACE_BITS);
    name->time = name->time > now ? name->time : now;
    draft->state = MQ_DELAYED;
    memcpy(ret_bucket, NAME_RESERVE_BUCKET, sizeof NAME_RESERVE_BUCKET);
}

/* Link the draft into its bucket, which others may remove while it is empty. */
static int link_into(mq_queue *queue, struct draft *draft, int *ret_dir)
{
    char bucket[NAME_BUCKET_SIZE], text[NAME_SIZE];
    place(queue, draft, bucket);
    name_format(draft->state, &draft->name, text);
    for (int tries = 0; tries < TRIES; tries++) {
        int error = queue_target(queue, draft->state, bucket, ret_dir);
        if (!error)
            error = fs_draft_link(&draft->file, *ret_dir, text);
        else if (error == -ENOENT)
            return error;
        if (error != -ENOENT)
            return error;
        queue_forget_target(queue, draft->state);
    }
    return -EBUSY;
}

/* The queue was deleted under us: the draft goes into the one that has its name now, or is made anew. */
static int link_into_new(mq_queue *queue, struct draft *draft, int *ret_dir)
{
    int error = -ENOENT;
    for (int tries = 0; tries < TRIES && error == -ENOENT; tries++) {
        error = queue_reopen(queue);
        if (error)
            return error;
        page_add_messages(queue->page, draft->state, draft->name.count);
        error = link_into(queue, draft, ret_dir);
    }
    return error;
}

static int sync_names(mq_queue *queue, const struct draft *draft, int dir)
{
    int error = fs_sync_dir(dir);
    if (!error)
        error = bucket_settle(queue->dir, draft->state, dir);
    return error ? error : queue_settle(queue);
}

/* The name is in the bucket; make it stay there. A failed sync is final: the message was not sent. */
static int make_durable(mq_queue *queue, const struct draft *draft, int dir)
{
    char text[NAME_SIZE];
    int error = queue_only_sends(queue) ? fs_sync_around(draft->file.file) : sync_names(queue, draft, dir);
    if (!error)
        return 0;
    name_format(draft->state, &draft->name, text);
    (void)fs_unlink(dir, text); /* ENOENT: a consumer has it already, and at least once is what we promise */
    return error;
}

static void announce(mq_queue *queue, const struct draft *draft)
{
    if (queue_only_sends(queue)) {
        fs_touch_dir(queue->dir, "waiters"); /* whoever takes it in counts it */
        return;
    }
    page_add_bytes(queue->page, (int64_t)draft->size);
    page_count(queue->page, PAGE_SENT, draft->name.count);
    move_announce(queue, draft->state, &draft->name, false);
}

static int link_and_sync(mq_queue *queue, struct draft *draft)
{
    int dir, error = draft->durable ? fs_sync_data(draft->file.file) : 0;
    if (error)
        return error;
    error = link_into(queue, draft, &dir);
    if (error == -ENOENT)
        error = link_into_new(queue, draft, &dir);
    if (!error && draft->durable)
        error = make_durable(queue, draft, dir);
    if (error)
        return error;
    announce(queue, draft);
    return 0;
}

int publish(mq_queue *queue, struct draft *draft, const struct mq_send_options *options)
{
    int error = reserve_or_wait(queue, draft, options);
    if (error)
        return error;
    error = clock_monotonic() - draft->begun < WRITER_LIFE ? link_and_sync(queue, draft) : -ETIMEDOUT;
    if (error)
        page_add_messages(queue->page, draft->state, -(int64_t)draft->name.count);
    return error;
}

static int open_draft(mq_queue *queue, struct draft *draft)
{
    const int error = queue_demand(queue, ACCESS_SEND);
    return error ? error : fs_draft_open(&draft->file, queue->dir, "tmp", access_mode(queue->sharing, ACCESS_FILE));
}

int publish_open(mq_queue *queue, struct draft *draft)
{
    draft->begun = clock_monotonic();
    int error = open_draft(queue, draft);
    for (int tries = 0; tries < TRIES && error == -ENOENT; tries++) {
        error = queue_reopen(queue); /* it was deleted under us */
        if (error)
            return error;
        error = open_draft(queue, draft);
    }
    return error;
}

void publish_close(struct draft *draft)
{
    fs_draft_close(&draft->file);
}

/* ---- names ------------------------------------------------------------------------ */

struct name publish_name(const mq_queue *queue, const mq_message *message, int64_t now)
{
    struct name name = message->name;
    const int64_t ttl = message->ttl ? message->ttl : queue->config.ttl;
    if (!name.expires && ttl)
        name.expires = name_time_after(now, ttl);
    name.time = message->due ? message->due : name_time_after(now, message->delay);
    return name;
}

enum mq_state publish_state(const struct name *name, int64_t now)
{
    return name->time > now ? MQ_DELAYED : MQ_READY;
}
