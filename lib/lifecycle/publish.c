/*
 * Publishing.
 *
 * The file is written without a name, and its content put where no name can overtake it on its way to the disk; then it
 * is linked into its bucket: until the link nobody sees it, and a crash before leaves at most a file in tmp/. The link
 * decides. Then the file is synced, unless it was before, and the bucket, and the directory that it lies in unless its
 * name is known to be durable.
 */
#include "lifecycle/publish.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "admin/stats.h"
#include "base/clock.h"
#include "base/id.h"
#include "format/message.h"
#include "lifecycle/expire.h"
#include "queue/adopt.h"
#include "queue/bell.h"
#include "queue/move.h"
#include "store/bucket.h"

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
    bool full = false;
    uint64_t taken = 0;
    int error = queue->outlet ? queue->outlet->count(queue->outlet, queue, &taken) : 0;
    if (!error && taken < queue->config.max_depth)
        error = stats_is_over(queue, queue->config.max_depth - taken, draft->state, draft->name.count, &full);
    else
        full = !error;
    if (error || full)
        page_add_messages(queue->page, draft->state, -count);
    return error ? error : full ? -ENOBUFS : 0;
}

int publish_look_for_room(mq_queue *queue, const struct draft *draft)
{
    const int error = reserve(queue, draft);
    if (!error)
        page_add_messages(queue->page, draft->state, -(int64_t)draft->name.count);
    return error;
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
    struct message_name *name = &draft->name;
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

/* A draft that was begun for a queue that is gone is made one of this queue. */
int publish_link(mq_queue *queue, struct draft *draft, int dir, const char *text)
{
    int error = draft->openings == queue->openings ? 0 : adopt_draft(queue, &draft->file);
    if (error)
        return error;
    draft->openings = queue->openings;
    error = fs_draft_link(&draft->file, dir, text);
    if (error != -ENXIO)
        return error;
    queue->names_drafts = true; /* the next ones have a name from the beginning */
    error = adopt_unnamed(queue, &draft->file);
    return error ? error : fs_draft_link(&draft->file, dir, text);
}

static int link_draft(mq_queue *queue, struct draft *draft, int dir)
{
    char text[NAME_SIZE];
    name_format(draft->state, &draft->name, text);
    return publish_link(queue, draft, dir, text);
}

/* Link the draft into its bucket, which others may remove while it is empty. */
static int link_into(mq_queue *queue, struct draft *draft, char ret_bucket[NAME_BUCKET_SIZE], int *ret_dir)
{
    place(queue, draft, ret_bucket);
    for (int tries = 0; tries < TRIES; tries++) {
        int error = queue_target(queue, draft->state, ret_bucket, ret_dir);
        if (error)
            return error;
        error = link_draft(queue, draft, *ret_dir);
        if (error != -ENOENT)
            return error;
        queue_forget_target(queue, draft->state);
    }
    return -EBUSY;
}

/* The queue was deleted under us, or lacks a part: the draft goes into the one that has its name now, or is made anew. */
static int link_into_new(mq_queue *queue, struct draft *draft, char ret_bucket[NAME_BUCKET_SIZE], int *ret_dir)
{
    int error = -ENOENT;
    for (int tries = 0; tries < TRIES && error == -ENOENT; tries++) {
        error = queue_reopen(queue);
        if (error)
            return error;
        page_add_messages(queue->page, draft->state, draft->name.count);
        error = link_into(queue, draft, ret_bucket, ret_dir);
    }
    return error;
}

/* Those behind the first that go into the same bucket, as long as that is there; how many there are with it. */
static size_t link_more(mq_queue *queue, struct draft *drafts, size_t count, const char *bucket, int dir)
{
    size_t linked = 1;
    for (; linked < count; linked++) {
        struct draft *draft = &drafts[linked];
        char its_bucket[NAME_BUCKET_SIZE];
        place(queue, draft, its_bucket);
        if (draft->state != drafts->state || strcmp(its_bucket, bucket) != 0)
            break;
        page_add_messages(queue->page, draft->state, draft->name.count);
        if (link_draft(queue, draft, dir) < 0) {
            page_add_messages(queue->page, draft->state, -(int64_t)draft->name.count);
            break;
        }
    }
    return linked;
}

static int sync_names(mq_queue *queue, const struct draft *draft, int dir)
{
    if (queue_only_sends(queue)) /* a directory that cannot be read cannot be synced by itself */
        return fs_sync_around(draft->file.file);
    int error = fs_sync(dir);
    if (!error)
        error = bucket_persist(queue->dir, draft->state, dir);
    return error ? error : queue_persist(queue);
}

static int sync_published(mq_queue *queue, const struct draft *drafts, size_t count, int dir)
{
    int error = 0;
    for (size_t i = 0; i < count && !error; i++)
        error = drafts[i].synced ? 0 : fs_sync(drafts[i].file.file);
    return error ? error : sync_names(queue, drafts, dir);
}

/* ENOENT: a consumer has it already, and at least once is what we promise. */
static void take_back(mq_queue *queue, const struct draft *draft, int dir)
{
    char text[NAME_SIZE];
    name_format(draft->state, &draft->name, text);
    (void)fs_unlink(dir, text);
    page_add_messages(queue->page, draft->state, -(int64_t)draft->name.count);
}

/* What is linked can be received, and whoever waits is woken at once: a sync takes longer than that. */
static void wake_receivers(mq_queue *queue, const struct draft *drafts, size_t count)
{
    if (drafts->state != MQ_READY && !queue_only_sends(queue))
        return;
    for (size_t i = 0; i < count && !queue_only_sends(queue); i++)
        page_note_arrival(queue->page, drafts[i].name.priority, name_birth(drafts[i].name.position), false);
    bell_ring(queue);
}

static void announce(mq_queue *queue, const struct draft *draft)
{
    if (queue_only_sends(queue))
        return; /* whoever takes it in counts it */
    page_add_bytes(queue->page, (int64_t)draft->size);
    page_count(queue->page, PAGE_SENT, draft->name.count);
    if (draft->state != MQ_READY)
        move_announce(queue, draft->state, &draft->name, false);
}

/* Rename a draft that is in another directory into its bucket, by a new name. 1 done, 0 it is there no more. */
static int rename_into(mq_queue *queue, struct draft *draft, int from, int *ret_dir)
{
    char old[NAME_SIZE], text[NAME_SIZE], bucket[NAME_BUCKET_SIZE];
    name_format(draft->state, &draft->name, old);
    place(queue, draft, bucket);
    name_format(draft->state, &draft->name, text);
    for (int tries = 0; tries < TRIES; tries++) {
        int error = draft->openings == queue->openings ? 0 : adopt_file(queue, from, old);
        if (!error) {
            draft->openings = queue->openings;
            error = queue_target(queue, draft->state, bucket, ret_dir);
        }
        if (!error)
            error = fs_rename(from, old, *ret_dir, text);
        if (error != -ENOENT)
            return error ? error : 1;
        const int has = fs_has(from, old);
        if (has != 1)
            return has;
        queue_forget_target(queue, draft->state);
        error = queue_reopen(queue);
        if (error)
            return error;
    }
    return -EBUSY;
}

/* A draft was linked in a directory that has lost the queue's name: it goes where the name is now. What is not there any
   more was taken by a receiver, or went with others to that queue, or a deletion by force took it that began after we
   had looked: in any case it was sent. */
static int move_on(mq_queue *queue, struct draft *draft, int *from)
{
    for (int tries = 0; tries < TRIES; tries++) {
        const struct draft before = *draft;
        int dir = -1, moved = queue_reopen(queue);
        if (!moved)
            moved = rename_into(queue, draft, *from, &dir);
        if (moved != 1) {
            draft->name = before.name;
            draft->state = before.state;
            return moved;
        }
        const int there = fcntl(dir, F_DUPFD_CLOEXEC, 0);
        if (there < 0)
            return -errno;
        close(*from);
        *from = there;
        const int error = draft->durable ? sync_published(queue, draft, 1, dir) : 0, has = queue_has_name(queue);
        if (has == 1 && !error) {
            page_add_messages(queue->page, draft->state, draft->name.count);
            announce(queue, draft);
        }
        if (has != 0)
            return has < 0 ? has : error;
    }
    return -EBUSY;
}

/* What cannot go where the name is does not stay where it was. 0: it is sent. */
static int move_on_or_take_back(mq_queue *queue, struct draft *draft, int dir)
{
    char text[NAME_SIZE];
    int from = fcntl(dir, F_DUPFD_CLOEXEC, 0);
    int error = from < 0 ? -errno : move_on(queue, draft, &from);
    if (error) {
        name_format(draft->state, &draft->name, text);
        if (fs_unlink(from < 0 ? dir : from, text) == -ENOENT)
            error = 0;
    }
    if (from >= 0)
        close(from);
    return error;
}

/* When one cannot go on, those behind it are not sent either. */
static int move_all_on(mq_queue *queue, struct draft *drafts, size_t count, int dir, size_t *published)
{
    const int from = fcntl(dir, F_DUPFD_CLOEXEC, 0);
    int error = 0;
    for (size_t i = 0; i < count && !error; i++) {
        error = move_on_or_take_back(queue, &drafts[i], from < 0 ? dir : from);
        *published += !error;
        for (size_t rest = i + 1; rest < count && error; rest++)
            take_back(queue, &drafts[rest], from < 0 ? dir : from);
    }
    if (from >= 0)
        close(from);
    return error;
}

/* As many as go into one bucket: their names, then the syncs, then a look whether the queue still is what has its name.
   A failed sync is final: they were not sent. */
static int publish_some(mq_queue *queue, struct draft *drafts, size_t count, size_t *published)
{
    char bucket[NAME_BUCKET_SIZE];
    int dir, error = link_into(queue, drafts, bucket, &dir);
    if (error == -ENOENT)
        error = link_into_new(queue, drafts, bucket, &dir);
    if (error) {
        page_add_messages(queue->page, drafts->state, -(int64_t)drafts->name.count);
        return error;
    }
    const size_t linked = link_more(queue, drafts, count, bucket, dir);
    wake_receivers(queue, drafts, linked);
    error = drafts->durable ? sync_published(queue, drafts, linked, dir) : 0;
    const int has = queue_has_name(queue);
    if (has == 0)
        return move_all_on(queue, drafts, linked, dir, published);
    if (has < 0)
        error = has;
    for (size_t i = 0; i < linked; i++)
        if (error)
            take_back(queue, &drafts[i], dir);
        else
            announce(queue, &drafts[i]);
    *published += error ? 0 : linked;
    return error;
}

static int sync_contents(mq_queue *queue, struct draft *drafts, size_t count)
{
    int synced = 0;
    for (size_t i = 0; i < count && count > 1; i++)
        fs_start_sync(drafts[i].file.file);
    for (size_t i = 0; i < count && synced >= 0; i++) {
        synced = fs_sync_ahead(drafts[i].file.file, &queue->order);
        drafts[i].synced = synced == 1;
    }
    return synced < 0 ? synced : 0;
}

static int sync_and_publish(mq_queue *queue, struct draft *drafts, size_t count, size_t *published)
{
    int error = clock_monotonic() - drafts->begun < WRITER_LIFE ? 0 : -ETIMEDOUT;
    if (!error && drafts->durable)
        error = sync_contents(queue, drafts, count);
    if (error)
        page_add_messages(queue->page, drafts->state, -(int64_t)drafts->name.count);
    while (!error && *published < count) {
        struct draft *rest = &drafts[*published];
        if (*published > 0)
            page_add_messages(queue->page, rest->state, rest->name.count);
        error = publish_some(queue, rest, count - *published, published);
    }
    return error;
}

size_t publish_most(const mq_queue *queue, bool durable)
{
    return durable && queue->config.max_depth == 0 ? PUBLISH_MOST : 1;
}

/* There is room for the first; nobody sees any of them before the transaction is committed. */
static int divert(mq_queue *queue, struct draft *drafts, size_t count, size_t *published)
{
    int error = 0;
    page_add_messages(queue->page, drafts->state, -(int64_t)drafts->name.count);
    for (; *published < count && !error; *published += !error)
        error = queue->outlet->take(queue->outlet, queue, &drafts[*published]);
    return error;
}

int publish(mq_queue *queue, struct draft *drafts, size_t count, const struct mq_send_options *options,
            size_t *ret_published)
{
    *ret_published = 0;
    if (count == 0)
        return 0;
    const int error = reserve_or_wait(queue, drafts, options);
    if (error)
        return error;
    return queue->outlet ? divert(queue, drafts, count, ret_published)
                         : sync_and_publish(queue, drafts, count, ret_published);
}

static int open_draft(mq_queue *queue, struct draft *draft)
{
    const int error = queue_demand(queue, ACCESS_SEND);
    const mode_t mode = access_mode(queue->sharing, ACCESS_FILE);
    draft->openings = queue->openings;
    if (error)
        return error;
    return queue->names_drafts ? fs_draft_open_named(&draft->file, queue->dir, "tmp", mode)
                               : fs_draft_open(&draft->file, queue->dir, "tmp", mode);
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

struct schedule publish_schedule(const mq_queue *queue, const mq_message *message, int64_t now)
{
    struct schedule schedule = {.priority = message->name.priority, .expires = message->name.expires};
    const int64_t ttl = message->ttl ? message->ttl : queue->config.ttl;
    if (!schedule.expires && ttl)
        schedule.expires = name_time_after(now, ttl);
    schedule.time = message->due ? message->due : name_time_after(now, message->delay);
    return schedule;
}

struct message_name publish_name(const mq_message *message, const struct schedule *schedule)
{
    struct message_name name = message->name;
    name.priority = schedule->priority;
    name.time = schedule->time;
    name.expires = schedule->expires;
    return name;
}

enum mq_state publish_state(const struct message_name *name, int64_t now)
{
    return name->time > now ? MQ_DELAYED : MQ_READY;
}
