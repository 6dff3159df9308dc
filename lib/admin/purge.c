/* Removing messages for good: what an administrator does. */
#include <errno.h>
#include <unistd.h>

#include "admin/browse.h"
#include "base/clock.h"
#include "queue/blame.h"
#include "queue/failures.h"
#include "queue/inbox.h"
#include "queue/move.h"
#include "queue/split.h"
#include "store/bucket.h"

/* With what went wrong with it. */
static int forget(mq_queue *queue, enum mq_state state, int removed, const struct message_name *name)
{
    if (removed == 1)
        failures_forget(queue, state, name);
    return removed;
}

/* Removes what it is told to, also where somebody forged a split that cannot be finished. */
static int finish(mq_queue *queue, enum mq_state state, struct message_name *name)
{
    const int error = split_finish(queue, state, name);
    return error == -EBADMSG || error == -EAGAIN ? 0 : error;
}

/* ---- one message ------------------------------------------------------------------ */

static int remove_all(mq_queue *queue, enum mq_state state, const struct browse_place *place)
{
    return forget(queue, state, move_out(queue, state, place->dir, place->file, &place->name), &place->name);
}

/* Split off those in front of the message at `offset`, then it. What cannot be taken apart is shown as one, and goes so. */
static int remove_at(mq_queue *queue, enum mq_state state, struct browse_place *place, uint64_t offset)
{
    struct message_name *rest = &place->name;
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
        rest->split = false; /* it is finished */
    }
    return rest->offset == offset ? remove_all(queue, state, place) : 0;
}

int mq_entry_remove(mq_queue *queue, const struct mq_entry *entry)
{
    struct browse_place place;
    int done = queue_demand(queue, ACCESS_ALL);
    if (!done)
        done = queue_refresh(queue);
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

static int purge_file(mq_queue *queue, enum mq_state state, int dir, const char *file, uint64_t *purged)
{
    struct message_name name;
    name_parse(state, file, &name);
    const int error = finish(queue, state, &name);
    const int removed = error ? error : forget(queue, state, move_out(queue, state, dir, file, &name), &name);
    if (removed == 1)
        *purged += name.count;
    return removed < 0 ? removed : 0;
}

static int purge_bucket(mq_queue *queue, enum mq_state state, const char *bucket, struct listing *files,
                        uint64_t *purged)
{
    const int dir = bucket_open(queue->dir, state, bucket);
    if (dir < 0)
        return bucket_is_missing(dir) ? 0 : dir;
    int error = bucket_read(dir, state, files), stuck = 0;
    for (size_t i = 0; i < files->count && !error; i++) {
        error = purge_file(queue, state, dir, listing_at(files, i), purged);
        if (blame_is_stuck(dir, error)) {
            stuck = error;
            error = 0;
        }
    }
    close(dir);
    return error ? error : stuck;
}

int mq_purge(mq_queue *queue, enum mq_state state, uint64_t *ret_purged)
{
    struct listing buckets = {0}, files = {0};
    uint64_t purged = 0;
    int stuck = 0, error = queue_demand(queue, ACCESS_ALL);
    if (!error)
        error = queue_refresh(queue);
    if (!error)
        error = inbox_take(queue, clock_now(), INBOX_ALL);
    if (!error)
        error = bucket_list(queue->dir, state, &buckets);
    for (size_t i = 0; i < buckets.count && !error; i++) {
        error = purge_bucket(queue, state, listing_at(&buckets, i), &files, &purged);
        if (error == -EPERM) { /* said at the end, when all else is gone */
            stuck = error;
            error = 0;
        }
    }
    listing_free(&buckets);
    listing_free(&files);
    *ret_purged = purged;
    return error ? error : stuck;
}
