/*
 * Overflow.
 *
 * Any number of processes may do this at the same moment. A process first takes a message off the page's number, by
 * compare-and-swap, while that is over the limit; then it moves the file. So two processes that see one message too much
 * do not end two.
 */
#include "lifecycle/overflow.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/fs_error.h"
#include "format/death.h"
#include "lane/lane.h"
#include "lifecycle/dead_letter.h"
#include "queue/blame.h"
#include "queue/depth.h"
#include "queue/failures.h"
#include "queue/move.h"
#include "queue/split.h"
#include "store/bucket.h"
#include "store/lane_dir.h"

/* Ends a walk: the queue is within its limits, or enough has ended. */
#define ENOUGH 1

struct trim {
    mq_queue *queue;
    struct depth_limits limits;
    int64_t messages, bytes; /* how many may end yet */
    int64_t now;
};

/* ---- one message ------------------------------------------------------------------------ */

/* What counts towards the limits beside the ready messages of this host's page. */
static int look_elsewhere(const struct trim *trim, int64_t *ret_messages, int64_t *ret_bytes)
{
    struct depth_totals totals;
    const struct page *page = trim->queue->page;
    const int error = depth_add_up(trim->queue, &totals);
    if (error)
        return error;
    *ret_messages = page_difference(page_sum(totals.count[MQ_READY], totals.count[MQ_DELAYED]),
                                    page_messages(page, MQ_READY));
    *ret_bytes = page_difference(totals.waiting, page_waiting(page));
    return 0;
}

/* Take messages off the page. 1: they are to end, and the page does not count them any more. `below`: also if the queue is
   below its limits without them. */
static int take_off_page(const struct trim *trim, const struct message_name *name, int64_t size, bool below)
{
    struct page *page = trim->queue->page;
    struct page_excess messages = {.limit = trim->limits.messages, .amount = name->count, .below = below};
    struct page_excess bytes = {.limit = trim->limits.bytes, .amount = size, .below = below};
    const int error = look_elsewhere(trim, &messages.elsewhere, &bytes.elsewhere);
    if (error)
        return error;
    if (messages.limit > 0 && trim->messages > 0 && page_take_excess_messages(page, MQ_READY, &messages)) {
        page_add_waiting(page, -size);
        return 1;
    }
    if (bytes.limit > 0 && trim->bytes > 0 && page_take_excess_waiting(page, &bytes)) {
        page_add_messages(page, MQ_READY, -(int64_t)name->count);
        return 1;
    }
    return 0;
}

/* The move of messages that were taken off the page has counted them as well, if it was `done`: the page gets back what
   was taken off. */
static int conclude(struct trim *trim, enum mq_state state, const struct message_name *name, int64_t size, int done)
{
    mq_queue *queue = trim->queue;
    page_add_messages(queue->page, MQ_READY, name->count);
    page_add_waiting(queue->page, size);
    if (done != 1)
        return done;
    trim->messages -= name->count;
    trim->bytes -= size;
    if (queue->config.overflow == CONFIG_DROP_OLDEST) {
        page_count(queue->page, PAGE_DROPPED, name->count);
        failures_forget(queue, state, name);
    }
    return 1;
}

static int end_whole(struct trim *trim, enum mq_state state, int dir, const char *file, const struct message_name *name,
                     int64_t size)
{
    mq_queue *queue = trim->queue;
    const int done = queue->config.overflow == CONFIG_DROP_OLDEST
                         ? lane_remove(queue, state, dir, file, name)
                         : dead_letter_make(queue, state, dir, file, name, mq_death_name(MQ_DEATH_OVERFLOW), trim->now);
    return conclude(trim, state, name, size, done);
}

/* The first message of a batch. Then `file` and `batch` are the name of the rest. */
static int end_first(struct trim *trim, enum mq_state state, int dir, char file[NAME_SIZE], struct message_name *batch)
{
    mq_queue *queue = trim->queue;
    struct split split;
    int done = split_off(queue, state, dir, file, batch, &split);
    if (done != 1)
        return done;
    done = take_off_page(trim, &split.part, split.part.length, true);
    if (done != 1) {
        const int back = split_take(queue, &split, state, &split.part);
        return done < 0 ? done : back < 0 ? back : 0;
    }
    done = queue->config.overflow == CONFIG_DROP_OLDEST
               ? split_remove(queue, &split)
               : dead_letter_take_part(queue, &split, mq_death_name(MQ_DEATH_OVERFLOW), trim->now);
    done = conclude(trim, state, &split.part, split.part.length, done);
    *batch = split.rest;
    name_format(state, batch, file);
    batch->split = false; /* the split is finished */
    return done;
}

/* ---- files ------------------------------------------------------------------------------ */

/* The whole file if that is not too much, else message by message. 1 this file has ended; 0 another process has changed
   it, or no more has to end. */
static int end_file(struct trim *trim, enum mq_state state, const struct bucket_file *found)
{
    struct message_name name = found->name;
    struct stat status;
    char file[NAME_SIZE];
    const int error = split_finish(trim->queue, state, &name);
    if (error)
        return error;
    if (fstatat(found->dir, found->file, &status, AT_SYMLINK_NOFOLLOW) < 0)
        return fs_error_unless_gone();
    snprintf(file, sizeof file, "%s", found->file);
    if (lane_is_token(&name) && name.count > 1 && lane_name_one(trim->queue, &found->name, &name) < 0)
        return 0;
    for (;;) {
        const int64_t size = lane_is_token(&name) ? lane_dir_size(trim->queue->dir, &name)
                                                  : name_bytes_in(&name, status.st_size);
        const bool single = name.count == 1;
        int done = 0;
        if (single || name.count <= trim->messages)
            done = take_off_page(trim, &name, size, single);
        if (done == 1)
            return end_whole(trim, state, found->dir, file, &name, size);
        if (done == 0 && !single)
            done = end_first(trim, state, found->dir, file, &name);
        if (done != 1)
            return done;
    }
}

/* Whether there is anything left to do. */
static int is_over(const struct trim *trim, bool *ret_over)
{
    struct depth_totals totals;
    const int error = depth_add_up(trim->queue, &totals);
    if (error)
        return error;
    const int64_t messages = page_sum(totals.count[MQ_READY], totals.count[MQ_DELAYED]);
    *ret_over = (trim->limits.messages > 0 && trim->messages > 0 && messages > trim->limits.messages) ||
                (trim->limits.bytes > 0 && trim->bytes > 0 && totals.waiting > trim->limits.bytes);
    return 0;
}

static int visit(void *context, const struct bucket_file *file)
{
    struct trim *trim = context;
    bool over;
    int error = is_over(trim, &over);
    if (error || !over)
        return error ? error : ENOUGH;
    if (file->state == MQ_DELAYED && !name_has_place(&file->name)) /* a receiver counts it when it takes it in */
        return 0;
    error = end_file(trim, file->state, file);
    return error >= 0 || error == -EEXIST || error == -EBADMSG || error == -EAGAIN || blame_is_stuck(file->dir, error)
               ? 0
               : error;
}

/* ---- where to find them ----------------------------------------------------------------- */

/* The head that the page names; it may be late or wrong. */
static int visit_head(struct trim *trim, int priority, struct listing *files)
{
    char bucket[NAME_BUCKET_SIZE];
    const uint64_t head = page_head(trim->queue->page, priority);
    if (head == PAGE_NO_BUCKET)
        return 0;
    name_format_ready_bucket(priority, head, bucket);
    return bucket_visit(trim->queue->dir, MQ_READY, bucket, files, visit, trim);
}

static int visit_priority(struct trim *trim, int wanted, const struct listing *buckets, struct listing *files)
{
    int stop = 0;
    for (size_t i = 0; i < buckets->count && !stop; i++) {
        int priority;
        uint64_t birth;
        name_parse_ready_bucket(listing_at(buckets, i), &priority, &birth);
        if (priority == wanted)
            stop = bucket_visit(trim->queue->dir, MQ_READY, listing_at(buckets, i), files, visit, trim);
    }
    return stop;
}

/* The heads first: so the cost does not grow with the depth. */
static int visit_ready(struct trim *trim)
{
    struct listing buckets = {0}, files = {0};
    int stop = 0;
    bool held = false; /* what lies in later buckets of a priority comes before higher ones */
    for (int priority = 0; priority < NAME_PRIORITIES && !stop && !held; priority++) {
        held = page_head(trim->queue->page, priority) != PAGE_NO_BUCKET;
        stop = visit_head(trim, priority, &files);
    }
    if (!stop)
        stop = bucket_list(trim->queue->dir, MQ_READY, &buckets);
    for (int priority = 0; priority < NAME_PRIORITIES && !stop; priority++)
        stop = visit_priority(trim, priority, &buckets, &files);
    listing_free(&buckets);
    listing_free(&files);
    return stop;
}

static int trim_queue(mq_queue *queue, const struct overflow_news *news, bool count, int64_t now)
{
    struct trim trim = {.queue = queue, .now = now};
    struct depth_excess excess;
    trim.limits = (struct depth_limits){(int64_t)queue->config.max_depth, (int64_t)queue->config.max_bytes};
    if (!overflow_ends_oldest(queue) || queue->rights != ACCESS_ALL ||
        (trim.limits.messages == 0 && trim.limits.bytes == 0))
        return 0;
    const int error = depth_find_excess(queue, &trim.limits, &(struct depth_own){0}, count, &excess);
    if (error || (excess.messages == 0 && excess.bytes == 0))
        return error;
    trim.messages = excess.counted ? excess.messages : news->messages;
    trim.bytes = excess.counted ? excess.bytes : news->bytes;
    int stop = visit_ready(&trim);
    if (!stop)
        stop = bucket_walk(queue->dir, MQ_DELAYED, visit, &trim);
    return stop < 0 ? stop : 0;
}

int overflow_trim(mq_queue *queue, const struct overflow_news *news, int64_t now)
{
    return trim_queue(queue, news, false, now);
}

int overflow_sweep(mq_queue *queue, int64_t now)
{
    return trim_queue(queue, &(struct overflow_news){0}, true, now);
}
