/*
 * Expiry.
 *
 * Any number of processes may do this at the same moment: each message is moved by one rename, and a process that comes
 * second gets ENOENT. The duty in the page only keeps them from listing the same directory at once.
 */
#include "lifecycle/expire.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fs.h"
#include "format/death.h"
#include "format/decode.h"
#include "format/spool_name.h"
#include "lane/lane.h"
#include "lane/lane_halt.h"
#include "lifecycle/dead_letter.h"
#include "lifecycle/inbox.h"
#include "queue/bell.h"
#include "queue/blame.h"
#include "queue/failures.h"
#include "queue/move.h"
#include "queue/split.h"
#include "store/bucket.h"
#include "store/retry_policy.h"
#include "store/timed.h"

/* The most files that one caller moves: some milliseconds of work. */
#define BUDGET 256

/* To take anything out of the inbox a caller has to list all of it, so it takes more. */
#define INBOX_BUDGET 4096

/* Ends a walk when the budget is used up. It is positive, so it is no error. */
#define BUDGET_USED 1

struct work {
    mq_queue *queue;
    int64_t now;
    int64_t budget;
    uint64_t done;
};

/* Whether the caller can go on with the other files: the disk lacks room for this move, or the file cannot be moved. */
static bool is_fault_of_file(int dir, int error)
{
    return error == -EEXIST || error == -ENOSPC || error == -EDQUOT || error == -EBADMSG || error == -EAGAIN ||
           blame_is_stuck(dir, error);
}

static int count_moved(struct work *work, int moved, int dir, const struct message_name *name)
{
    if (moved < 0)
        return is_fault_of_file(dir, moved) ? 0 : moved;
    if (moved == 1)
        work->done += name->count;
    return --work->budget > 0 ? 0 : BUDGET_USED;
}

static int remove_expired(mq_queue *queue, enum mq_state state, int bucket_dir, const char *file,
                          const struct message_name *name)
{
    struct message_name whole = *name;
    const int error = split_finish(queue, state, &whole);
    return error && error != -EBADMSG ? error : lane_remove(queue, state, bucket_dir, file, &whole);
}

/* Whether a message is a request. The caller of an expired request has stopped waiting, so nobody needs it as a dead
   letter. A file that cannot be read is taken for no request, since a dead letter loses nothing. */
static bool is_request(mq_queue *queue, int bucket_dir, const char *file, const struct message_name *name)
{
    mq_message *message;
    const int fd = name->count > 1       ? -1
                   : lane_is_token(name) ? lane_open_head(queue, name, NULL)
                                         : fs_open_unchecked(bucket_dir, file);
    if (fd < 0)
        return false;
    if (decode_file(fd, name, &message) != 0) {
        close(fd);
        return false;
    }
    const char *reply_to = mq_message_header(message, "Reply-To");
    const bool is = reply_to && name_is_reply(reply_to);
    mq_message_free(message);
    return is;
}

int expire_message(mq_queue *queue, enum mq_state state, int bucket_dir, const char *file,
                   const struct message_name *name, int64_t now)
{
    const bool dropped = queue->config.drop_expired || is_request(queue, bucket_dir, file, name);
    const int done = dropped
                         ? remove_expired(queue, state, bucket_dir, file, name)
                         : dead_letter_make(queue, state, bucket_dir, file, name, mq_death_name(MQ_DEATH_EXPIRED), now);
    if (done == 1)
        page_count(queue->page, PAGE_EXPIRED, name->count);
    if (done == 1 && dropped)
        failures_forget(queue, state, name);
    return done;
}

/* ---- one message, by directory --------------------------------------------------- */

/* Move a message to ready/. Its name there may be taken, by a file that a user who may only send has forged; then the
   message gets a new position, behind the others. */
static int make_ready(const struct work *work, enum mq_state state, int bucket_dir, const char *file,
                      const struct message_name *name)
{
    mq_queue *queue = work->queue;
    struct message_name ready = *name;
    const int error = split_finish(queue, state, &ready);
    if (error == -EBADMSG)
        return dead_letter_make_corrupt(queue, state, bucket_dir, file, name, work->now);
    if (error)
        return error;
    const int moved = move_message(queue, state, bucket_dir, file, MQ_READY, &ready);
    if (moved != -EEXIST || state != MQ_DELAYED || !access_has_inbox(queue->sharing))
        return moved;
    ready.position = page_next_positions(queue->page, ready.priority, ready.count, work->now);
    return move_message(queue, state, bucket_dir, file, MQ_READY, &ready);
}

static int make_due(void *context, int bucket_dir, const char *file, const struct message_name *name)
{
    struct work *work = context;
    const int moved = inbox_has(work->queue, name) ? inbox_take_one(work->queue, bucket_dir, file, name, work->now)
                                                   : make_ready(work, MQ_DELAYED, bucket_dir, file, name);
    return count_moved(work, moved, bucket_dir, name);
}

/* The deadline of a claim has passed. */
static int lapse(void *context, int bucket_dir, const char *file, const struct message_name *name)
{
    struct work *work = context;
    mq_queue *queue = work->queue;
    int moved;
    if (name->settled) {
        moved = lane_resume(queue, bucket_dir, file, name);
        return moved < 0 ? count_moved(work, moved, bucket_dir, name) : --work->budget > 0 ? 0 : BUDGET_USED;
    }
    if (retry_policy_is_over(&queue->config, name)) {
        moved = dead_letter_make(queue, MQ_INFLIGHT, bucket_dir, file, name, mq_death_name(MQ_DEATH_MAX_ATTEMPTS),
                                 work->now);
    } else {
        moved = make_ready(work, MQ_INFLIGHT, bucket_dir, file, name);
        if (moved == 1)
            page_count(queue->page, PAGE_RETRIED, name->count);
    }
    if (moved == 1)
        page_count(queue->page, PAGE_FAILED, name->count);
    return count_moved(work, moved, bucket_dir, name);
}

/* A dead letter has been kept for dead-ttl. */
static int bury(void *context, int bucket_dir, const char *file, const struct message_name *name)
{
    struct work *work = context;
    const int removed = move_out(work->queue, MQ_DEAD, bucket_dir, file, name);
    if (removed == 1) {
        page_count(work->queue->page, PAGE_EXPIRED, name->count);
        failures_forget(work->queue, MQ_DEAD, name);
        (void)lane_go_on_without(work->queue, name);
    }
    return count_moved(work, removed, bucket_dir, name);
}

/* ---- one directory --------------------------------------------------------------- */

struct directory {
    enum mq_state state;
    timed_visit_fn *visit;
};

static const struct directory directories[PAGE_TIMES] = {
    [PAGE_DUE] = {MQ_DELAYED, make_due},
    [PAGE_DEADLINE] = {MQ_INFLIGHT, lapse},
    [PAGE_BURIAL] = {MQ_DEAD, bury},
};

/* How long after the time in its name a message is moved. */
static int64_t grace(const mq_queue *queue, enum page_time which)
{
    return which == PAGE_BURIAL     ? queue->config.dead_ttl
           : which == PAGE_DEADLINE ? shared_clock_slack(&queue->clock)
                                    : 0;
}

static bool is_wanted(const mq_queue *queue, enum page_time which)
{
    return which != PAGE_BURIAL || queue->config.dead_ttl != 0;
}

static int walk(struct work *work, enum page_time which, int64_t *ret_next)
{
    const struct directory *directory = &directories[which];
    const int64_t later = grace(work->queue, which);
    int64_t next;
    const int stop = timed_walk(work->queue->dir, directory->state, work->now - later, directory->visit, work, &next);
    *ret_next = stop == BUDGET_USED ? work->now : next < INT64_MAX - later ? next + later : INT64_MAX;
    return stop;
}

/* True: something may be due in the directory, and this process has the duty to look. */
static bool take_duty(mq_queue *queue, enum page_time which, int64_t now)
{
    return is_wanted(queue, which) && page_time(queue->page, which, now) <= now &&
           page_take_duty(queue->page, which, now);
}

static int do_duty(mq_queue *queue, enum page_time which, int64_t now)
{
    struct work work = {.queue = queue, .now = now, .budget = BUDGET};
    int64_t next;
    const int stop = walk(&work, which, &next);
    if (page_announce(queue->page, which, next, now))
        bell_ring(queue);
    return stop < 0 ? stop : 0;
}

int expire_all(mq_queue *queue, int64_t now)
{
    int error = inbox_take(queue, now, INBOX_BUDGET);
    for (int which = 0; which < PAGE_TIMES && !error; which++)
        if (take_duty(queue, (enum page_time)which, now))
            error = do_duty(queue, (enum page_time)which, now);
    return error;
}

void expire_some(mq_queue *queue, int64_t now)
{
    if (queue->is_feed || queue_only_sends(queue))
        return;
    for (int which = 0; which < PAGE_TIMES; which++)
        if (take_duty(queue, (enum page_time)which, now)) {
            (void)do_duty(queue, (enum page_time)which, now);
            return;
        }
}

int64_t expire_next(const mq_queue *queue, int64_t now)
{
    const int64_t look = page_outbox_time(queue->page);
    int64_t next = look < now + PAGE_LOOK_EVERY ? look : now + PAGE_LOOK_EVERY;
    for (int which = 0; which < PAGE_TIMES; which++) {
        const int64_t time = page_time(queue->page, (enum page_time)which, now);
        if (is_wanted(queue, (enum page_time)which) && time < next)
            next = time;
    }
    return next;
}

/* ---- everything ------------------------------------------------------------------ */

static int expire_ready_message(void *context, const struct bucket_file *file)
{
    struct work *work = context;
    if (!file->name.expires || file->name.expires > work->now)
        return 0;
    const int done = expire_message(work->queue, MQ_READY, file->dir, file->file, &file->name, work->now);
    return count_moved(work, done, file->dir, &file->name);
}

static int expire_ready(mq_queue *queue, int64_t now, uint64_t *ret_done)
{
    struct work work = {.queue = queue, .now = now, .budget = INT64_MAX};
    const int error = bucket_walk(queue->dir, MQ_READY, expire_ready_message, &work);
    *ret_done = work.done;
    return error;
}

int expire_everything(mq_queue *queue, int64_t now, struct mq_swept *swept)
{
    uint64_t *const counts[PAGE_TIMES] = {&swept->due, &swept->lease_expired, &swept->expired};
    int error = inbox_take(queue, now, INBOX_ALL);
    for (int which = 0; which < PAGE_TIMES && !error; which++) {
        struct work work = {.queue = queue, .now = now, .budget = INT64_MAX};
        int64_t next;
        if (is_wanted(queue, (enum page_time)which))
            error = walk(&work, (enum page_time)which, &next);
        *counts[which] += work.done;
    }
    uint64_t expired = 0;
    if (!error)
        error = expire_ready(queue, now, &expired);
    swept->expired += expired;
    return error;
}
