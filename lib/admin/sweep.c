/* Sweeping: all the housekeeping of a queue at once. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "admin/lane_tokens.h"
#include "base/clock.h"
#include "base/fs.h"
#include "base/fs_fifo.h"
#include "base/fs_list.h"
#include "format/group_name.h"
#include "format/spool_name.h"
#include "format/work_name.h"
#include "lane/lane.h"
#include "lane/lane_halt.h"
#include "lane/lane_withdraw.h"
#include "lifecycle/expire.h"
#include "lifecycle/outbox.h"
#include "lifecycle/overflow.h"
#include "lifecycle/publish.h"
#include "log/group.h"
#include "queue/blame.h"
#include "queue/depth.h"
#include "queue/done_marks.h"
#include "queue/failures.h"
#include "queue/queue.h"
#include "queue/results.h"
#include "queue/sent_slots.h"
#include "queue/split_cleanup.h"
#include "route/send_on.h"
#include "store/bucket.h"
#include "store/lane_dir.h"
#include "store/layout.h"

struct sweep {
    mq_queue *queue;
    int dir;
    int64_t now;
    uint64_t removed;
    int error; /* the first error that kept something from being judged or removed */
};

/* What cannot be judged or removed does not keep the sweep from the rest. */
static void note(struct sweep *sweep, int done)
{
    sweep->removed += done == 1;
    blame_note(done, &sweep->error);
}

/* 1 or 0, or a negative errno if that cannot be known. */
static int is_abandoned(const struct sweep *sweep, const char *name)
{
    struct stat status;
    if (fstatat(sweep->dir, name, &status, AT_SYMLINK_NOFOLLOW) < 0)
        return fs_error();
    return sweep->now - clock_of_file(&status.st_mtim) >= PUBLISH_ABANDONED;
}

/* `is` is the answer to the question whether the entry may be removed. 1: it is removed. */
static int remove_if(int is, const struct sweep *sweep, const char *name, unsigned char type)
{
    if (is != 1)
        return is;
    const int error = type == DT_DIR ? fs_remove_dir(sweep->dir, name) : fs_unlink(sweep->dir, name);
    return error ? error : 1;
}

/* Drafts of messages that are sent once have an end of their own: what a mark tells of is void or delivered, not gone. */
static int sweep_tmp_file(void *context, const char *name, unsigned char type)
{
    struct sweep *sweep = context;
    struct group_place take;
    enum sent_kind kind;
    int64_t number;
    if (type == DT_DIR && lane_name_is_new(name)) {
        const int is = is_abandoned(sweep, name);
        if (is == 1)
            lane_dir_unmake(sweep->dir, name);
        note(sweep, is);
    } else if (type == DT_DIR && sent_name_is_new_slot_dir(name)) {
        const int is = is_abandoned(sweep, name), error = is == 1 ? spool_remove_tree(sweep->dir, name) : is;
        note(sweep, error ? error : is);
    } else if (!sent_name_parse_draft(name, &kind, &number) &&
               (type == DT_DIR ? name_is_new_bucket(name)
                               : !name_is_split(name) && !group_name_parse_take(name, &take))) {
        note(sweep, remove_if(is_abandoned(sweep, name), sweep, name, type));
    }
    return 0;
}

/* Whether the receiver that made a FIFO is dead, so that no process reads it: 1 or 0, or a negative errno if that cannot
   be known. While the FIFO's name begins with a dot, its maker may be about to open it, and to set the mode that lets
   other users open it. */
static int is_dead(const struct sweep *sweep, const char *name, bool hidden)
{
    const int fifo = fs_open_fifo(sweep->dir, name);
    if (fifo >= 0)
        close(fifo);
    if (hidden && (fifo == -ENXIO || fifo == -EACCES))
        return is_abandoned(sweep, name);
    return fifo == -ENXIO ? 1 : fifo < 0 ? fifo : 0;
}

static int sweep_waiter(void *context, const char *name, unsigned char type)
{
    struct sweep *sweep = context;
    const bool hidden = name[0] == '.';
    if (type == DT_FIFO && name_is_waiter(name + hidden))
        note(sweep, remove_if(is_dead(sweep, name, hidden), sweep, name, type));
    return 0;
}

static int sweep_dir(struct sweep *sweep, const char *name, fs_list_fn *each)
{
    sweep->dir = fs_open_dir(sweep->queue->dir, name);
    if (sweep->dir < 0)
        return sweep->dir;
    const int error = fs_list_at(sweep->dir, ".", each, sweep);
    close(sweep->dir);
    return error;
}

/* Whether no sender is about to fill this bucket. If one that is being filled were removed its sender would have to
   make it again. */
static bool is_left_over(const mq_queue *queue, enum mq_state state, const char *bucket, int64_t now)
{
    int priority;
    uint64_t birth;
    int64_t start, end;
    if (state != MQ_READY)
        return strcmp(bucket, NAME_RESERVE_BUCKET) != 0 && name_parse_timed_bucket(state, bucket, &start, &end) &&
               end <= now;
    return name_parse_ready_bucket(bucket, &priority, &birth) &&
           birth != name_birth(page_last_position(queue->page, priority));
}

/* rmdir decides whether a bucket is empty, so none of them is opened. */
static int sweep_buckets(struct sweep *sweep, enum mq_state state)
{
    struct listing buckets = {0};
    const int error = bucket_list(sweep->queue->dir, state, &buckets);
    for (size_t i = 0; i < buckets.count && !error; i++) {
        const char *bucket = listing_at(&buckets, i);
        if (is_left_over(sweep->queue, state, bucket, sweep->now))
            note(sweep, bucket_remove(sweep->queue->dir, state, bucket));
    }
    listing_free(&buckets);
    return error;
}

static int sweep_sent(mq_queue *queue, uint64_t *removed)
{
    const int error = queue->sent ? 0 : sent_slots_new(queue->dir, queue->sharing, &queue->clock, &queue->sent);
    return error ? error : sent_slots_sweep(queue->sent, &queue->config, removed);
}

static int sweep_leftovers(mq_queue *queue, int64_t now, uint64_t *ret_removed)
{
    struct sweep sweep = {.queue = queue, .now = now};
    int error = sweep_dir(&sweep, "tmp", sweep_tmp_file);
    if (!error)
        error = sweep_dir(&sweep, "waiters", sweep_waiter);
    for (int state = 0; state < MQ_STATES && !error; state++)
        error = sweep_buckets(&sweep, (enum mq_state)state);
    uint64_t cleared = 0;
    if (!error)
        error = split_cleanup_clear(queue, &cleared);
    if (!error && name_group_part(queue->name))
        error = group_sweep_takes(queue, &sweep.removed);
    if (!error) {
        const int failures = failures_sweep(queue, &sweep.removed),
                  marks = done_marks_expire(queue, now, &sweep.removed), sent = sweep_sent(queue, &sweep.removed),
                  results = results_expire(queue, now, &sweep.removed);
        error = failures ? failures : marks ? marks : sent ? sent : results;
    }
    *ret_removed = sweep.removed + cleared;
    return error ? error : sweep.error;
}

static int revive(void *context, const char *generation)
{
    const int revived = lane_revive(context, generation);
    return revived < 0 ? revived : 0;
}

static int sweep_once(mq_queue *queue, int64_t now, struct mq_swept *ret_swept)
{
    struct mq_swept swept = {0};
    bool any;
    const int unfinished = outbox_finish_all(queue->spool, OUTBOX_AT_ONCE, now, &any);
    int error = split_cleanup_finish(queue);
    if (!error && queue->config.order)
        error = lane_tokens_find_missing(queue, revive, queue);
    if (!error && queue->config.order)
        error = lane_sweep_halted(queue);
    if (!error && queue->config.order)
        error = lane_sweep_withdrawn(queue);
    if (!error)
        error = expire_everything(queue, now, &swept);
    if (!error)
        error = send_on_all(queue, &swept.sent_on, &swept.kept, &swept.kept_error);
    if (error)
        return error;
    const int left = sweep_leftovers(queue, now, &swept.leftovers);
    error = depth_recount(queue);
    if (error >= 0)
        error = overflow_sweep(queue, now);
    if (left || error < 0 || unfinished)
        return left ? left : error < 0 ? error : unfinished;
    *ret_swept = swept;
    return 0;
}

int mq_sweep(mq_queue *queue, struct mq_swept *ret_swept)
{
    const int64_t now = queue_now(queue);
    int error = queue_demand(queue, ACCESS_ALL);
    if (!error)
        error = queue_refresh(queue);
    if (!error)
        error = sweep_once(queue, now, ret_swept);
    if (error != -ENOENT)
        return error;
    error = queue_reopen(queue); /* it was deleted, or lacks a part */
    return error ? error : sweep_once(queue, now, ret_swept);
}
