/* Purging: an administrator removes messages for good. */
#include <errno.h>
#include <unistd.h>

#include "admin/lane_browse.h"
#include "admin/lane_cut.h"
#include "admin/single_out.h"
#include "base/clock.h"
#include "base/fs.h"
#include "format/batch.h"
#include "format/group_name.h"
#include "lane/lane.h"
#include "lane/lane_halt.h"
#include "lane/lane_out.h"
#include "lifecycle/inbox.h"
#include "queue/blame.h"
#include "queue/failures.h"
#include "queue/move.h"
#include "queue/split.h"
#include "store/bucket.h"
#include "store/lane_cuts.h"

/* Remove the record of failures of a message that was removed. */
static int forget(mq_queue *queue, enum mq_state state, int removed, const struct message_name *name)
{
    if (removed == 1)
        failures_forget(queue, state, name);
    if (removed == 1 && state == MQ_DEAD)
        (void)lane_go_on_without(queue, name); /* if that fails, a sweep does it */
    return removed;
}

/* Finish a split before the message is removed. A forged split, which cannot be finished, does not
   prevent the removal. */
static int finish(mq_queue *queue, enum mq_state state, struct message_name *name)
{
    const int error = split_finish(queue, state, name);
    return error == -EBADMSG || error == -EAGAIN ? 0 : error;
}

/* ---- one message ------------------------------------------------------------------ */

static int remove_one(mq_queue *queue, enum mq_state state, int dir, const char *file, const struct message_name *name,
                      const void *argument)
{
    (void)argument;
    return forget(queue, state, lane_remove(queue, state, dir, file, name), name);
}

/* A message behind a head that has a file of its own. */
static int remove_waiting(mq_queue *queue, const struct mq_entry *entry)
{
    struct message_name name;
    const int dir = lane_browse_find(queue, entry->bucket, entry->file, &name);
    if (dir < 0)
        return dir == -ENOENT ? 0 : dir;
    const int removed = name.count > 1 ? lane_cut(queue, entry, remove_one, NULL)
                                       : remove_one(queue, entry->state, dir, entry->file, &name, NULL);
    close(dir);
    return removed;
}

int mq_entry_remove(mq_queue *queue, const struct mq_entry *entry)
{
    int done = queue_demand(queue, ACCESS_ALL);
    if (!done)
        done = queue_refresh(queue);
    if (!done)
        done = lane_browse_is(entry)      ? remove_waiting(queue, entry)
               : lane_cut_is_meant(entry) ? lane_cut(queue, entry, remove_one, NULL)
                                          : single_out(queue, entry, remove_one, NULL);
    return done;
}

/* ---- all of them ------------------------------------------------------------------ */

struct purge {
    mq_queue *queue;
    uint64_t purged;
    int stuck; /* the error of a file that cannot be removed, which is reported after the others are removed */
};

/* How many of the messages that a token stands for were taken out of its lane. */
static uint32_t count_out(mq_queue *queue, const struct message_name *token)
{
    const int cuts = token->of ? lane_cuts_open(queue->dir, token->lane) : -1;
    const uint32_t out = lane_cuts_count(cuts, token->head + token->skipped, token->count);
    if (cuts >= 0)
        close(cuts);
    return out;
}

static int purge_file(void *context, const struct bucket_file *file)
{
    struct purge *purge = context;
    struct message_name name = file->name;
    if (name.settled)
        return 0;
    const uint32_t out = lane_is_token(&name) ? count_out(purge->queue, &name) : 0;
    int removed = finish(purge->queue, file->state, &name);
    if (!removed)
        removed = forget(purge->queue, file->state,
                         lane_remove(purge->queue, file->state, file->dir, file->file, &name), &name);
    if (removed == 1)
        purge->purged += name.count - out;
    if (removed != -EPERM)
        return removed < 0 ? removed : 0;
    purge->stuck = removed;
    return blame_is_stuck(file->dir, removed) ? 0 : BUCKET_DONE;
}

struct waiting {
    struct purge *purge;
    enum mq_state state;
    const struct lane_file *file; /* that the walk has come to */
    uint32_t ahead;               /* how many of its messages stay */
    const struct lane_token *token;
};

static int purge_one(void *context, const struct message_name *one)
{
    struct waiting *waiting = context;
    struct purge *purge = waiting->purge;
    if (waiting->ahead > 0) {
        waiting->ahead--;
        return 0;
    }
    const struct lane_file *file = waiting->file;
    const int removed = lane_cut_waiting(purge->queue, file->key, file->dir, file->file, waiting->state, one,
                                         waiting->token, remove_one, NULL);
    purge->purged += removed == 1;
    return removed < 0 ? removed : 0;
}

/* The first of them may be in flight, so the file stays; and that of a log that has cuts goes with them. */
static int purge_each(struct waiting *waiting)
{
    const int opened = fs_open_file(waiting->file->dir, waiting->file->file);
    if (opened < 0)
        return opened == -ENOENT ? 0 : opened;
    const int error = batch_walk(opened, &waiting->file->name, purge_one, waiting);
    close(opened);
    return error == -EBADMSG || error == -ENOENT ? 0 : error;
}

static int purge_waiting(void *context, const struct lane_file *file, uint32_t ahead, int cuts,
                         const struct lane_token *token)
{
    struct waiting *waiting = context;
    struct purge *purge = waiting->purge;
    const struct message_name *name = &file->name;
    waiting->file = file;
    waiting->ahead = ahead;
    waiting->token = token;
    if (ahead > 0 || (cuts >= 0 && group_name_has_offset(name->position)))
        return purge_each(waiting);
    const uint32_t out = lane_cuts_count(cuts, name->position, name->count);
    if (out > 0)
        lane_out_count_back(purge->queue, waiting->state, file->dir, file->file, name);
    const int removed = remove_one(purge->queue, waiting->state, file->dir, file->file, name, NULL);
    purge->purged += removed == 1 ? name->count - out : 0;
    return removed < 0 ? removed : 0;
}

int mq_purge(mq_queue *queue, enum mq_state state, uint64_t *ret_purged)
{
    struct purge purge = {.queue = queue};
    int error = queue_demand(queue, ACCESS_ALL);
    if (!error)
        error = queue_refresh(queue);
    if (!error)
        error = inbox_take(queue, queue_now(queue), INBOX_ALL);
    if (!error)
        error = lane_browse_walk(
            queue, state, NULL, purge_waiting,
            &(struct waiting){.purge = &purge, .state = state}); /* first those behind: else they would come forward */
    if (!error)
        error = bucket_walk(queue->dir, state, purge_file, &purge);
    *ret_purged = purge.purged;
    return error ? error : purge.stuck;
}
