/* Remembering what was acked. */
#include "queue/done_marks.h"

#include <dirent.h>
#include <errno.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/fs_list.h"
#include "base/id.h"
#include "format/lane_name.h"
#include "format/name.h"
#include "format/work_name.h"
#include "queue/blame.h"
#include "queue/move.h"
#include "store/access.h"

/* One ack out of so many removes old marks, and removes more of them than the acks since the last time have made. */
#define LOOK_ONE_IN 64
#define BUDGET 256

/* Ends a walk when the budget is used up. It is positive, so it is no error. */
#define BUDGET_USED 1

static int open_bucket(const mq_queue *queue, int64_t moment)
{
    char bucket[NAME_BUCKET_SIZE];
    name_format_done_bucket(moment, queue->config.dedup_window, bucket);
    return fs_open_dir_below(queue->dir, "done", bucket);
}

static int make_bucket(const mq_queue *queue, int64_t moment)
{
    char bucket[NAME_BUCKET_SIZE];
    int error = fs_has(queue->dir, "done") == 1 ? 0 : access_make_dir(queue->dir, queue->sharing, queue->dir, "done");
    const int done = !error || error == -EEXIST ? fs_open_dir(queue->dir, "done") : error;
    if (done < 0)
        return done;
    name_format_done_bucket(moment, queue->config.dedup_window, bucket);
    error = access_make_dir(queue->dir, queue->sharing, done, bucket);
    const int dir = !error || error == -EEXIST ? fs_open_dir(done, bucket) : error;
    close(done);
    return dir;
}

int done_marks_move(mq_queue *queue, int from_dir, const char *from_name, const struct message_name *name, int64_t now)
{
    int dir = open_bucket(queue, now);
    if (dir == -ENOENT)
        dir = make_bucket(queue, now);
    if (dir < 0)
        return dir;
    int moved;
    if (lane_name_is_part(name)) { /* the others need the file */
        moved = fs_link(from_dir, from_name, dir, name->id);
        if (!moved)
            move_count_out(queue, MQ_INFLIGHT, name, name->length);
        moved = moved == -ENOENT ? 0 : moved ? moved : 1;
    } else {
        moved = move_to_done(queue, MQ_INFLIGHT, from_dir, from_name, name, dir, name->id);
    }
    close(dir);
    return moved;
}

static int is_in_bucket(const mq_queue *queue, const char *id, int64_t moment)
{
    const int dir = moment < 0 ? -ENOENT : open_bucket(queue, moment);
    if (dir < 0)
        return dir == -ENOENT ? 0 : dir;
    const int has = fs_has(dir, id);
    close(dir);
    return has;
}

int done_marks_has(mq_queue *queue, const char *id, int64_t now)
{
    const int has = is_in_bucket(queue, id, now);
    return has ? has : is_in_bucket(queue, id, now - name_done_width(queue->config.dedup_window));
}

/* ---- removing --------------------------------------------------------------------- */

struct expiry {
    const mq_queue *queue;
    int64_t now;
    int done, dir;
    uint64_t removed, budget;
    int error; /* the first error that kept a mark from being removed */
};

static int remove_mark(void *context, const char *name, unsigned char type)
{
    struct expiry *expiry = context;
    const int error = type == DT_REG ? fs_unlink(expiry->dir, name) : -ENOENT;
    blame_note(error, &expiry->error);
    if (error)
        return 0;
    expiry->removed++;
    return --expiry->budget > 0 ? 0 : BUDGET_USED;
}

/* Whether a bucket may hold marks that are younger than the window. */
static bool is_of_use(const struct expiry *expiry, int64_t start)
{
    const int64_t window = expiry->queue->config.dedup_window;
    return start + name_done_width(window) > expiry->now - window;
}

static int remove_bucket(void *context, const char *bucket, unsigned char type)
{
    struct expiry *expiry = context;
    int64_t start;
    if (type != DT_DIR || !name_parse_done_bucket(bucket, &start) || is_of_use(expiry, start))
        return 0;
    expiry->dir = fs_open_dir(expiry->done, bucket);
    blame_note(expiry->dir, &expiry->error);
    if (expiry->dir < 0)
        return 0;
    const int stop = fs_list_at(expiry->dir, ".", remove_mark, expiry);
    close(expiry->dir);
    const int error = stop ? 0 : fs_remove_dir(expiry->done, bucket);
    if (error != -ENOTEMPTY) /* the directory holds what is no mark, or a mark that could not be removed */
        blame_note(error, &expiry->error);
    return stop;
}

static int expire(const mq_queue *queue, int64_t now, uint64_t budget, uint64_t *ret_removed)
{
    struct expiry expiry = {.queue = queue, .now = now, .budget = budget};
    expiry.done = fs_open_dir(queue->dir, "done");
    if (expiry.done < 0)
        return expiry.done == -ENOENT ? 0 : expiry.done;
    const int stop = fs_list_at(expiry.done, ".", remove_bucket, &expiry);
    close(expiry.done);
    *ret_removed += expiry.removed;
    return stop < 0 ? stop : expiry.error;
}

int done_marks_expire(mq_queue *queue, int64_t now, uint64_t *ret_removed)
{
    return expire(queue, now, UINT64_MAX, ret_removed);
}

void done_marks_expire_some(mq_queue *queue, int64_t now)
{
    uint64_t removed = 0;
    if (id_random() % LOOK_ONE_IN == 0)
        (void)expire(queue, now, BUDGET, &removed);
}
