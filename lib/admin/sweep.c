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
#include "format/work_name.h"
#include "lane/lane.h"
#include "lifecycle/expire.h"
#include "queue/depth.h"
#include "queue/done_marks.h"
#include "queue/failures.h"
#include "queue/queue.h"
#include "queue/split_cleanup.h"
#include "store/bucket.h"
#include "store/lane_dir.h"

/* A file in tmp/ that is older than this has no writer: publish.c lets a sender write for a day. */
#define TMP_AGE (36 * 3600 * CLOCK_SECOND)

struct sweep {
    mq_queue *queue;
    int dir;
    int64_t now;
    uint64_t removed;
};

static bool is_abandoned(const struct sweep *sweep, const char *name)
{
    struct stat status;
    return fstatat(sweep->dir, name, &status, AT_SYMLINK_NOFOLLOW) == 0 &&
           sweep->now - clock_of_file(&status.st_mtim) >= TMP_AGE;
}

static int sweep_tmp_file(void *context, const char *name, unsigned char type)
{
    struct sweep *sweep = context;
    if (name_is_split(name) || !is_abandoned(sweep, name))
        return 0;
    if (type != DT_DIR)
        sweep->removed += fs_unlink(sweep->dir, name) == 0;
    else if (name_is_new_bucket(name))
        sweep->removed += fs_remove_dir(sweep->dir, name) == 0;
    if (type == DT_DIR && (name_is_new_bucket(name) || lane_name_is_new(name)))
        lane_dir_unmake(sweep->dir, name);
    return 0;
}

/* Whether the FIFO belonged to a receiver that is dead: nobody reads it. While its name begins with a dot, its maker
   may be about to open it, and to set the mode that lets other users open it. */
static bool is_dead(const struct sweep *sweep, const char *name, bool hidden)
{
    const int fifo = fs_open_fifo(sweep->dir, name);
    if (fifo >= 0)
        close(fifo);
    if (hidden)
        return (fifo == -ENXIO || fifo == -EACCES) && is_abandoned(sweep, name);
    return fifo == -ENXIO;
}

static int sweep_waiter(void *context, const char *name, unsigned char type)
{
    struct sweep *sweep = context;
    const bool hidden = name[0] == '.';
    if (type == DT_FIFO && name_is_waiter(name + hidden) && is_dead(sweep, name, hidden))
        sweep->removed += fs_unlink(sweep->dir, name) == 0;
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
            sweep->removed += bucket_remove(sweep->queue->dir, state, bucket) == 1;
    }
    listing_free(&buckets);
    return error;
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
    if (!error)
        error = failures_sweep(queue, &sweep.removed);
    if (!error)
        error = done_marks_expire(queue, now, &sweep.removed);
    *ret_removed = sweep.removed + cleared;
    return error;
}

static int revive(void *context, const char *generation)
{
    const int revived = lane_revive(context, generation);
    return revived < 0 ? revived : 0;
}

static int sweep_once(mq_queue *queue, int64_t now, struct mq_swept *ret_swept)
{
    struct mq_swept swept = {0};
    int error = split_cleanup_finish(queue);
    if (!error && queue->config.order)
        error = lane_tokens_find_missing(queue, revive, queue);
    if (!error)
        error = expire_everything(queue, now, &swept);
    if (!error)
        error = sweep_leftovers(queue, now, &swept.leftovers);
    if (!error)
        error = depth_recount(queue);
    if (error >= 0)
        *ret_swept = swept;
    return error < 0 ? error : 0;
}

int mq_sweep(mq_queue *queue, struct mq_swept *ret_swept)
{
    const int64_t now = clock_now();
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
