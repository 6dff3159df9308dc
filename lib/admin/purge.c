/* Purging: an administrator removes messages for good. */
#include <errno.h>

#include "admin/lane_browse.h"
#include "admin/single_out.h"
#include "base/clock.h"
#include "lane/lane.h"
#include "lane/lane_halt.h"
#include "lifecycle/inbox.h"
#include "queue/blame.h"
#include "queue/failures.h"
#include "queue/move.h"
#include "queue/split.h"
#include "store/bucket.h"

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

int mq_entry_remove(mq_queue *queue, const struct mq_entry *entry)
{
    int done = queue_demand(queue, ACCESS_ALL);
    if (!done)
        done = queue_refresh(queue);
    if (!done)
        done = lane_browse_is(entry) ? lane_browse_remove(queue, entry) : single_out(queue, entry, remove_one, NULL);
    return done;
}

/* ---- all of them ------------------------------------------------------------------ */

struct purge {
    mq_queue *queue;
    uint64_t purged;
    int stuck; /* the error of a file that cannot be removed, which is reported after the others are removed */
};

static int purge_file(void *context, const struct bucket_file *file)
{
    struct purge *purge = context;
    struct message_name name = file->name;
    if (name.settled)
        return 0;
    int removed = finish(purge->queue, file->state, &name);
    if (!removed)
        removed = forget(purge->queue, file->state,
                         lane_remove(purge->queue, file->state, file->dir, file->file, &name), &name);
    if (removed == 1)
        purge->purged += name.count;
    if (removed != -EPERM)
        return removed < 0 ? removed : 0;
    purge->stuck = removed;
    return blame_is_stuck(file->dir, removed) ? 0 : BUCKET_DONE;
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
        error = lane_browse_purge(queue, state, &purge.purged); /* first those behind: else they would come forward */
    if (!error)
        error = bucket_walk(queue->dir, state, purge_file, &purge);
    *ret_purged = purge.purged;
    return error ? error : purge.stuck;
}
