/*
 * Deleting queues.
 *
 * A queue that is to be deleted loses its name first, by one rename, so that whoever sends from then on makes a
 * new one. Without force it is held under a name of the deleter's own and looked at only then: rmdir decides whether it
 * is empty, so a message that is sent by somebody who had it open before keeps its bucket, and the queue is put back.
 *
 * Anybody may put back what is held, so that nobody depends on a deleter who died or was stopped: while a queue is held
 * the deleter does nothing to it that harms one that is in use. What is more than that he does only once another rename
 * has told that it is still held, and ended that.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fs.h"
#include "base/id.h"
#include "format/name.h"
#include "format/spool_name.h"
#include "lifecycle/outbox.h"
#include "store/access.h"
#include "store/census.h"
#include "store/held.h"
#include "store/spool.h"

/* What a creator or deleter leaves when it dies may be removed when no live one can still be at it; as for
   tmp/ in sweep.c. */
#define PENDING_AGE (36 * 3600)

#define TRIES 10

/* ---- deleting --------------------------------------------------------------------- */

/* Deletions are synced by `dir`, the queue as it was found: for where the spool itself cannot be. */

static int delete_forced(int spool, int dir, const char *queue)
{
    char gone[NAME_PENDING_SIZE];
    name_format_pending(NAME_GONE, queue, id_random(), gone);
    int error = fs_rename(spool, queue, spool, gone);
    if (error == -EXDEV)
        error = spool_remove_tree(spool, queue);
    else if (!error)
        error = spool_remove_tree(spool, gone);
    const int synced = error ? 0 : fs_sync_passage(spool, dir);
    return error ? error : synced;
}

/* Remove what is held by that name if it is empty, else put it back. -EAGAIN: somebody else has put it back. */
static int finish_held(int spool, const char *held, const char *queue)
{
    const int dir = fs_open_dir(spool, held);
    if (dir < 0)
        return dir == -ENOENT ? -EAGAIN : dir;
    int error = held_remove_states(dir);
    if (!error)
        error = held_discard(spool, held, queue);
    if (error == -EAGAIN)
        (void)spool_heal(dir); /* of a queue that is in use again we have removed the states */
    close(dir);
    const int put = error && error != -EAGAIN ? held_put_back(spool, held, queue) : 0;
    return put ? put : error;
}

/* Where it is a lower layer's, as overlayfs says, it cannot be renamed. It keeps its name until all of it is gone. */
static int delete_in_place(int spool, const char *queue)
{
    const int dir = fs_open_dir(spool, queue);
    if (dir < 0)
        return dir;
    int error = held_remove_states(dir);
    if (!error)
        error = held_remove_emptied(spool, queue);
    if (error)
        (void)spool_heal(dir);
    close(dir);
    return error;
}

/* Out of sight first, so that whoever sends from now on makes a new queue; then looked at. */
static int delete_empty(int spool, int dir, const char *queue)
{
    char held[NAME_PENDING_SIZE];
    name_format_pending(NAME_HELD, queue, id_random(), held);
    int error = fs_rename(spool, queue, spool, held);
    if (error == -EXDEV)
        error = delete_in_place(spool, queue);
    else if (!error)
        error = finish_held(spool, held, queue);
    return error ? error : fs_sync_passage(spool, dir);
}

/* 1 it does, 0 it does not, or why that cannot be told. A state that is not there holds none. */
static int holds_messages(int queue_dir)
{
    int64_t count = 0;
    int error = 0;
    for (int state = MQ_READY; state < MQ_STATES && !error && count == 0; state++) {
        error = census_count(queue_dir, (enum mq_state)state, 1, &count);
        if (error == -ENOENT)
            error = 0;
    }
    return error ? error : count > 0;
}

static int delete_found(int spool, int dir, const char *queue, bool force)
{
    if (force)
        return delete_forced(spool, dir, queue);
    const int holds = holds_messages(dir);
    return holds < 0 ? holds : holds ? -ENOTEMPTY : delete_empty(spool, dir, queue);
}

static int delete_once(int spool, const char *queue, bool force)
{
    int dir = spool_find_queue(spool, queue);
    if (dir == -ENOENT && spool_await_held(spool, queue) == 1)
        dir = spool_find_queue(spool, queue);
    if (dir < 0)
        return dir;
    const int error = delete_found(spool, dir, queue, force);
    close(dir);
    return error;
}

/* Somebody may take the queue back whose deleter is slow. */
static int delete_in(int spool, const char *queue, bool force)
{
    int error = -EAGAIN;
    for (int tries = 0; tries < TRIES && error == -EAGAIN; tries++)
        error = delete_once(spool, queue, force);
    return error == -EAGAIN ? -EBUSY : error;
}

int mq_delete(const char *spool, const char *queue, bool force)
{
    if (!mq_queue_name_is_valid(queue))
        return -EINVAL;
    const int root = spool_open(spool, false);
    if (root < 0)
        return root;
    const int error = delete_in(root, queue, force);
    close(root);
    return error;
}

struct pending_walk {
    int spool;
    int64_t now;
    int removed;
    int error; /* the first that kept one from being finished */
};

/* A deletion that cannot be finished keeps the sweep from no other. Another process may have been faster. */
static void note_finished(struct pending_walk *walk, int error)
{
    walk->removed += error == 0;
    if (error && error != -ENOENT && !held_is_forbidden(error) && !walk->error)
        walk->error = error;
}

/* Nobody is at it any more: what was held and is not empty is a queue again, the rest goes. */
static int finish(int spool, enum name_pending kind, const char *name, const char *queue)
{
    int error = kind == NAME_HELD      ? finish_held(spool, name, queue)
                : kind == NAME_EMPTIED ? held_remove_emptied(spool, name)
                                       : spool_remove_tree(spool, name);
    if (error == -ENOTEMPTY && kind == NAME_EMPTIED)
        error = held_put_back(spool, name, queue);
    return error == -ENOTEMPTY || error == -EAGAIN ? 0 : error;
}

static int sweep_pending(void *context, const char *name, unsigned char type)
{
    struct pending_walk *walk = context;
    enum name_pending kind;
    char queue[MQ_QUEUE_NAME_SIZE];
    struct stat status;
    if (type == DT_DIR && name_is_reply(name)) {
        walk->removed += spool_sweep_reply(walk->spool, name) == 1;
        return 0;
    }
    if (type != DT_DIR || !name_parse_pending(name, &kind, queue) ||
        fstatat(walk->spool, name, &status, AT_SYMLINK_NOFOLLOW) < 0)
        return 0;
    /* ctime: when it got this name, or was last filled. */
    if (walk->now / CLOCK_SECOND - status.st_ctim.tv_sec < PENDING_AGE)
        return 0;
    note_finished(walk, finish(walk->spool, kind, name, queue));
    return 0;
}

int mq_sweep_spool(const char *spool)
{
    struct pending_walk walk = {.spool = spool_open(spool, false), .now = clock_now()};
    if (walk.spool < 0)
        return walk.spool == -ENOENT ? 0 : walk.spool;
    bool any;
    int error = fs_list_at(walk.spool, ".", sweep_pending, &walk);
    close(walk.spool);
    if (!error)
        error = outbox_finish_all(spool, OUTBOX_AT_ONCE, &any);
    return error ? error : walk.error ? walk.error : walk.removed;
}
