/* Purging: an administrator removes messages for good. */
#include <errno.h>
#include <unistd.h>

#include "admin/browse.h"
#include "admin/lane_browse.h"
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

static int remove_all(mq_queue *queue, enum mq_state state, const struct browse_place *place)
{
    return forget(queue, state, lane_remove(queue, state, place->dir, place->file, &place->name), &place->name);
}

/* Of the messages that share the file of a lane's head only the first can be removed. */
static int remove_head(mq_queue *queue, enum mq_state state, const struct browse_place *place, uint64_t offset)
{
    struct message_name one;
    const int error = offset == place->name.offset ? lane_name_one(queue, &place->name, &one) : -EOPNOTSUPP;
    if (error)
        return error == -ENOENT ? 0 : error;
    return forget(queue, state, lane_remove(queue, state, place->dir, place->file, &one), &one);
}

/* Split off the messages in front of the one at `offset`, then that one, and remove it. A batch that cannot be taken
   apart is shown as one message, and is removed as one. */
static int remove_at(mq_queue *queue, enum mq_state state, struct browse_place *place, uint64_t offset)
{
    struct message_name *rest = &place->name;
    if (lane_is_token(rest) && rest->count > 1)
        return remove_head(queue, state, place, offset);
    while (rest->count > 1) {
        struct split split;
        int done = split_off(queue, state, place->dir, place->file, rest, &split);
        if ((done == -EBADMSG || done == -EAGAIN) && rest->offset == offset)
            return remove_all(queue, state, place);
        if (done != 1)
            return done;
        if (split.part.offset == offset)
            return forget(queue, state, split_remove(queue, &split), &split.part);
        done = split_take(queue, &split, state, &split.part);
        if (done < 0)
            return done;
        *rest = split.rest;
        name_format(state, rest, place->file);
        rest->split = false; /* the split is finished */
    }
    return rest->offset == offset ? remove_all(queue, state, place) : 0;
}

int mq_entry_remove(mq_queue *queue, const struct mq_entry *entry)
{
    struct browse_place place;
    int done = queue_demand(queue, ACCESS_ALL);
    if (!done)
        done = queue_refresh(queue);
    if (!done && lane_browse_is(entry))
        return lane_browse_remove(queue, entry);
    if (!done)
        done = browse_find(queue, entry, &place);
    if (done != 1)
        return done;
    done = finish(queue, entry->state, &place.name);
    if (!done)
        done = remove_at(queue, entry->state, &place, entry->offset);
    close(place.dir);
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
        error = inbox_take(queue, clock_now(), INBOX_ALL);
    if (!error)
        error = lane_browse_purge(queue, state, &purge.purged); /* first those behind: else they would come forward */
    if (!error)
        error = bucket_walk(queue->dir, state, purge_file, &purge);
    *ret_purged = purge.purged;
    return error ? error : purge.stuck;
}
