/*
 * Publishing, step by step:
 *
 *     reservation    the page counts the messages; what is sent into a transaction is handed to that then
 *     content        it is put where no name can reach the disk before it
 *     link           the draft gets its name in a bucket: from here on receivers see it, and they are woken
 *     sync           the content, the bucket, and the directory of the bucket if its own name may not be durable
 *     name           the sender looks whether the queue still has its name
 *     announce       the page is told; if the queue is full now, and is configured so, its oldest messages end
 *
 * The link decides. A crash before it leaves at most a file in tmp/, which a sweep removes. A failed sync is final: the
 * messages are taken back and count as not sent.
 */
#include "lifecycle/publish.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/id.h"
#include "lane/lane_withdraw.h"
#include "lifecycle/overflow.h"
#include "lifecycle/publish_lane.h"
#include "queue/bell.h"
#include "queue/depth.h"
#include "queue/move.h"
#include "store/adopt.h"
#include "store/bucket.h"
#include "store/lane_dir.h"

/* Other processes may remove buckets and queues while this process uses them. After this many times publishing fails
   with -EBUSY. */
#define TRIES 100

/* ---- reservation --------------------------------------------------------------------- */

static struct reservation_wish wish_of(const struct draft *draft)
{
    return (struct reservation_wish){draft->state, draft->name.count, draft->size};
}

/* In a queue whose oldest messages end, a message counts when it is sent, and not before: else one would end for a
   message whose sending fails. */
static void reserve(mq_queue *queue, struct draft *draft)
{
    const struct reservation_wish wish = wish_of(draft);
    if (!overflow_ends_oldest(queue))
        reservation_make(queue, &wish, &draft->reservation);
}

static void cancel(mq_queue *queue, struct draft *draft)
{
    reservation_cancel(queue, &draft->reservation);
}

int publish_look_for_room(mq_queue *queue, const struct draft *draft, const struct mq_send_options *options)
{
    struct reservation reservation = {0};
    const struct reservation_wish wish = wish_of(draft);
    const int error = reservation_wait(queue, &wish, options, &reservation);
    reservation_cancel(queue, &reservation);
    return error;
}

/* ---- content ------------------------------------------------------------------------- */

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

/* ---- link ---------------------------------------------------------------------------- */

/* Give a draft its place in the queue. This comes as late as possible, so that the order of positions is the order of
   publication. In the inbox the time is the order, and the position is a random number that nobody can guess. */
static void place(mq_queue *queue, struct draft *draft, char ret_bucket[NAME_BUCKET_SIZE])
{
    const int64_t now = queue_now(queue);
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

static int link_to_name(mq_queue *queue, struct draft *draft, int dir)
{
    char text[NAME_SIZE];
    name_format(draft->state, &draft->name, text);
    return draft_link(queue, draft, dir, text);
}

/* Link a draft into its bucket, which other processes may remove while it is empty. -ENOENT: the queue was deleted, or
   lacks a part. */
static int link_into_bucket(mq_queue *queue, struct draft *draft, char ret_bucket[NAME_BUCKET_SIZE], int *ret_dir)
{
    place(queue, draft, ret_bucket);
    for (int tries = 0; tries < TRIES; tries++) {
        int error = queue_target(queue, draft->state, ret_bucket, ret_dir);
        if (error)
            return error;
        error = link_to_name(queue, draft, *ret_dir);
        if (error != -ENOENT)
            return error;
        queue_forget_target(queue, draft->state);
    }
    return -EBUSY;
}

/* Link a draft into the queue that has the name now, which is repaired or made anew if necessary. */
static int link_first(mq_queue *queue, struct draft *draft, char ret_bucket[NAME_BUCKET_SIZE], int *ret_dir)
{
    reserve(queue, draft);
    int error = link_into_bucket(queue, draft, ret_bucket, ret_dir);
    for (int tries = 0; tries < TRIES && error == -ENOENT; tries++) {
        cancel(queue, draft);
        error = draft_reopen(queue, draft);
        if (error)
            return error;
        reserve(queue, draft);
        error = link_into_bucket(queue, draft, ret_bucket, ret_dir);
    }
    return error;
}

/* Link the drafts that follow the first one and belong in the same bucket, until one of them cannot be linked. Returns
   how many are linked, with the first. */
static size_t link_more(mq_queue *queue, struct draft *drafts, size_t count, const char *bucket, int dir)
{
    size_t linked = 1;
    for (; linked < count; linked++) {
        struct draft *draft = &drafts[linked];
        char its_bucket[NAME_BUCKET_SIZE];
        place(queue, draft, its_bucket);
        if (draft->state != drafts->state || strcmp(its_bucket, bucket) != 0)
            break;
        reserve(queue, draft);
        if (link_to_name(queue, draft, dir) < 0) {
            cancel(queue, draft);
            break;
        }
    }
    return linked;
}

/* Link as many drafts as go into one bucket. `ret_dir` is that bucket. */
static int link_drafts(mq_queue *queue, struct draft *drafts, size_t count, size_t *ret_linked, int *ret_dir)
{
    char bucket[NAME_BUCKET_SIZE];
    const int error = link_first(queue, drafts, bucket, ret_dir);
    if (error) {
        cancel(queue, drafts);
        return error;
    }
    *ret_linked = link_more(queue, drafts, count, bucket, *ret_dir);
    return 0;
}

/* Receivers can take what is linked. They are woken before the sync, because it takes longer than waking and
   claiming. */
static void wake_receivers(mq_queue *queue, const struct draft *drafts, size_t count)
{
    if (drafts->state != MQ_READY && !queue_only_sends(queue))
        return;
    for (size_t i = 0; i < count && !queue_only_sends(queue); i++)
        page_note_arrival(queue->page, drafts[i].name.priority, name_birth(drafts[i].name.position), false);
    bell_ring(queue);
}

/* ---- sync ---------------------------------------------------------------------------- */

static int sync_names(mq_queue *queue, const struct draft *draft, int dir)
{
    if (queue_only_sends(queue)) /* a directory that cannot be read cannot be synced by itself */
        return fs_sync_around(draft->file.file);
    int error = fs_sync(dir);
    if (!error)
        error = bucket_persist(queue->dir, draft->state, dir);
    return error ? error : queue_persist(queue);
}

int publish_sync(mq_queue *queue, const struct draft *drafts, size_t count, int dir)
{
    int error = 0;
    for (size_t i = 0; i < count && !error; i++)
        error = drafts[i].synced ? 0 : fs_sync(drafts[i].file.file);
    return error ? error : sync_names(queue, drafts, dir);
}

/* ---- announce, or take back ---------------------------------------------------------- */

static void announce(mq_queue *queue, struct draft *draft)
{
    const struct reservation_wish wish = wish_of(draft);
    reservation_make(queue, &wish, &draft->reservation);
    reservation_commit(&draft->reservation);
    if (queue_only_sends(queue))
        return; /* the receiver that takes the message out of the inbox counts it */
    page_add_bytes(queue->page, (int64_t)draft->size);
    page_count(queue->page, PAGE_SENT, draft->name.count);
    if (draft->state != MQ_READY)
        move_announce(queue, draft->state, &draft->name, false);
}

/* -ENOENT: a receiver has taken the message already. So a message may be delivered although its sending failed. */
static int remove_link(const struct draft *draft, int dir)
{
    char text[NAME_SIZE];
    name_format(draft->state, &draft->name, text);
    return fs_unlink(dir, text);
}

static void take_back(mq_queue *queue, struct draft *draft, int dir)
{
    (void)remove_link(draft, dir);
    cancel(queue, draft);
}

static void conclude(mq_queue *queue, struct draft *drafts, size_t count, int dir, int error)
{
    for (size_t i = 0; i < count; i++)
        if (error)
            take_back(queue, &drafts[i], dir);
        else
            announce(queue, &drafts[i]);
}

/* ---- the directory has lost the queue's name ------------------------------------------- */

/* Rename a linked draft from the directory `from` into its bucket, under a new name. 1 done; 0 the draft is not in
   `from` any more. */
static int rename_into_bucket(mq_queue *queue, struct draft *draft, int from, int *ret_dir)
{
    char old[NAME_SIZE], text[NAME_SIZE], bucket[NAME_BUCKET_SIZE];
    name_format(draft->state, &draft->name, old);
    place(queue, draft, bucket);
    name_format(draft->state, &draft->name, text);
    for (int tries = 0; tries < TRIES; tries++) {
        int error = draft->openings == queue->openings ? 0 : adopt_file(queue->dir, queue->sharing, from, old);
        if (!error) {
            draft->openings = queue->openings;
            error = queue_target(queue, draft->state, bucket, ret_dir);
        }
        if (!error)
            error = fs_rename_unique(from, old, *ret_dir, text);
        if (error != -ENOENT)
            return error ? error : 1;
        const int has = fs_has(from, old);
        if (has != 1)
            return has;
        queue_forget_target(queue, draft->state);
        error = draft_reopen(queue, draft);
        if (error)
            return error;
    }
    return -EBUSY;
}

/*
 * Move a linked draft to the directory that has the queue's name. If that directory loses the name meanwhile, move the
 * draft again. `from` is the bucket that the draft lies in, before and after the call.
 *
 * If the draft is not in `from` any more, it was sent: a receiver took it; or another process moved it to that queue
 * with the other messages; or a deletion by force removed it, which began after the link.
 */
static int follow_name(mq_queue *queue, struct draft *draft, int *from)
{
    for (int tries = 0; tries < TRIES; tries++) {
        const struct draft before = *draft;
        int dir = -1, moved = draft_reopen(queue, draft);
        if (!moved)
            moved = rename_into_bucket(queue, draft, *from, &dir);
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
        const int error = draft->durable ? publish_sync(queue, draft, 1, dir) : 0, has = queue_has_name(queue);
        if (has == 1 && !error) {
            reserve(queue, draft);
            announce(queue, draft);
        }
        if (has != 0)
            return has < 0 ? has : error;
    }
    return -EBUSY;
}

/* A draft that cannot follow the name does not stay where it is. */
int publish_follow(mq_queue *queue, struct draft *draft, int dir)
{
    int from = fcntl(dir, F_DUPFD_CLOEXEC, 0);
    int error = from < 0 ? -errno : follow_name(queue, draft, &from);
    if (error && remove_link(draft, from < 0 ? dir : from) == -ENOENT)
        error = 0; /* a receiver has taken it */
    if (error)
        cancel(queue, draft);
    if (from >= 0)
        close(from);
    return error;
}

/* If one draft cannot follow the name, the drafts behind it are not sent either. */
static int follow_all(mq_queue *queue, struct draft *drafts, size_t count, int dir, size_t *published)
{
    const int from = fcntl(dir, F_DUPFD_CLOEXEC, 0);
    int error = 0;
    for (size_t i = 0; i < count && !error; i++) {
        error = publish_follow(queue, &drafts[i], from < 0 ? dir : from);
        *published += !error;
        for (size_t rest = i + 1; rest < count && error; rest++)
            take_back(queue, &drafts[rest], from < 0 ? dir : from);
    }
    if (from >= 0)
        close(from);
    return error;
}

static bool take_back_from(int dir, enum mq_state state, const struct message_name *name)
{
    char text[NAME_SIZE];
    name_format(state, name, text);
    const int error = dir < 0 ? dir : fs_unlink(dir, text);
    if (dir >= 0)
        close(dir);
    return !error;
}

void publish_take_back(mq_queue *queue, const char *lane, enum mq_state state, const struct message_name *name,
                       uint64_t size)
{
    char bucket[NAME_BUCKET_SIZE];
    name_format_bucket(state, name, bucket);
    const bool taken = lane[0]
                           ? take_back_from(lane_dir_open_queue(queue->dir, lane), MQ_READY, name) ||
                                 take_back_from(lane_dir_open_bucket(queue->dir, lane, name->position), MQ_READY, name)
                           : take_back_from(bucket_open(queue->dir, state, bucket), state, name);
    if (taken && lane[0])
        lane_withdraw(queue, lane, name);
    if (taken)
        move_count_out(queue, state, name, (int64_t)size);
}

/* ---- all steps in their order ------------------------------------------------------------ */

/* Publish as many drafts as go into one bucket, and add their number to `published`. */
static int publish_some(mq_queue *queue, struct draft *drafts, size_t count, size_t *published)
{
    size_t linked;
    int dir, error = link_drafts(queue, drafts, count, &linked, &dir);
    if (error)
        return error;
    wake_receivers(queue, drafts, linked);
    error = drafts->durable ? publish_sync(queue, drafts, linked, dir) : 0;
    const int has = queue_has_name(queue);
    if (has == 0)
        return follow_all(queue, drafts, linked, dir, published);
    if (has < 0)
        error = has;
    conclude(queue, drafts, linked, dir, error);
    *published += error ? 0 : linked;
    return error;
}

/* The first draft, if it belongs in a lane; else it and those behind it, up to one that does. */
static int publish_next(mq_queue *queue, struct draft *drafts, size_t count, size_t *published)
{
    size_t run = 0;
    while (run < count && !drafts[run].lane[0])
        run++;
    if (run > 0)
        return publish_some(queue, drafts, run, published);
    const int error = publish_in_lane(queue, drafts);
    *published += !error;
    return error;
}

/* Hand drafts to the queue's outlet. There is room for the first one; what an outlet has taken counts from then on. */
static int divert(mq_queue *queue, struct draft *drafts, size_t count, size_t *published)
{
    int error = queue->outlet->wants_content && drafts->durable ? sync_contents(queue, drafts, count) : 0;
    cancel(queue, drafts);
    for (; *published < count && !error; *published += !error)
        error = queue->outlet->take(queue->outlet, queue, &drafts[*published]);
    return error;
}

/* The messages are sent, whatever comes of this. */
static void end_oldest(mq_queue *queue, const struct draft *drafts, size_t count)
{
    struct overflow_news news = {0};
    if (count == 0 || !overflow_ends_oldest(queue))
        return;
    for (size_t i = 0; i < count; i++) {
        news.messages += drafts[i].name.count;
        news.bytes += (int64_t)drafts[i].size;
    }
    (void)overflow_trim(queue, &news, queue_now(queue));
}

int publish(mq_queue *queue, struct draft *drafts, size_t count, const struct mq_send_options *options,
            size_t *ret_published)
{
    *ret_published = 0;
    if (count == 0)
        return 0;
    const struct reservation_wish wish = wish_of(drafts);
    int error = reservation_wait(queue, &wish, options, &drafts->reservation);
    if (!error && draft_is_too_old(drafts))
        error = -ETIMEDOUT;
    if (!error && drafts->order != queue->config.order)
        error = -EBUSY; /* the queue was deleted, and made anew with another order */
    if (!error && queue->outlet)
        return divert(queue, drafts, count, ret_published);
    if (!error && drafts->durable)
        error = sync_contents(queue, drafts, count);
    if (error)
        cancel(queue, drafts);
    while (!error && *ret_published < count)
        error = publish_next(queue, drafts + *ret_published, count - *ret_published, ret_published);
    end_oldest(queue, drafts, *ret_published);
    return error;
}

size_t publish_max(const mq_queue *queue, const struct mq_send_options *options)
{
    return draft_is_durable(queue, options) && queue->config.max_depth == 0 && queue->config.max_bytes == 0
               ? PUBLISH_MAX
               : 1;
}
