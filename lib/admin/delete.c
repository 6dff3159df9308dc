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
#include "lifecycle/outbox.h"
#include "store/access.h"
#include "store/bucket.h"
#include "store/census.h"
#include "store/spool.h"

/* What a creator or deleter leaves when it dies may be removed when no live one can still be at it; as for
   tmp/ in sweep.c. */
#define PENDING_AGE (36 * 3600)

#define TRIES 10

static int remove_bucket(void *context, const char *name, unsigned char type)
{
    const int dir = *(const int *)context;
    return type == DT_DIR ? fs_remove_dir(dir, name) : -ENOTEMPTY;
}

/* Take a state's directory away if no message is in it: then nobody can put one in any more. */
static int remove_state(int queue_dir, enum mq_state state)
{
    const char *name = name_of_state(state);
    const int dir = fs_open_dir(queue_dir, name);
    if (dir < 0)
        return dir == -ENOENT ? 0 : dir;
    const int error = fs_list_at(dir, ".", remove_bucket, &(int){dir});
    close(dir);
    return error ? error : fs_remove_dir(queue_dir, name);
}

/* Only rmdir decides what is empty: a message that is sent meanwhile keeps its bucket. */
static int remove_states(int queue_dir)
{
    int error = 0;
    for (int state = MQ_READY; state < MQ_STATES && !error; state++)
        error = remove_state(queue_dir, (enum mq_state)state);
    return error;
}

/* ---- putting back a queue that was found not to be empty ------------------------- */

struct transfer {
    enum mq_state state;
    int from_queue, to_queue;
    unsigned to_sharing;
    int from_tmp, to_tmp;
    int from, to; /* buckets */
};

/* A split goes where its name goes, and first, or somebody there would take it for finished. */
static int transfer_split(const struct transfer *transfer, const struct message_name *name)
{
    char split[NAME_SIZE];
    name_format_split(name, split);
    const int error = fs_rename(transfer->from_tmp, split, transfer->to_tmp, split);
    return error == -ENOENT ? 0 : error;
}

static int transfer_message(void *context, const char *file, unsigned char type)
{
    const struct transfer *transfer = context;
    struct message_name name;
    int error = 0;
    if (type != DT_REG)
        return 0;
    if (name_parse(transfer->state, file, &name) && name.split)
        error = transfer_split(transfer, &name);
    return error ? error : fs_rename(transfer->from, file, transfer->to, file);
}

static int transfer_bucket(void *context, const char *bucket, unsigned char type)
{
    struct transfer *transfer = context;
    if (type != DT_DIR || !name_is_bucket(transfer->state, bucket))
        return 0;
    transfer->from = bucket_open(transfer->from_queue, transfer->state, bucket);
    transfer->to = transfer->from < 0 ? transfer->from
                                      : bucket_make(transfer->to_queue, transfer->to_sharing, transfer->state, bucket);
    const int error = transfer->to < 0 ? transfer->to : fs_list_at(transfer->from, ".", transfer_message, transfer);
    if (transfer->from >= 0)
        close(transfer->from);
    if (transfer->to >= 0)
        close(transfer->to);
    return error;
}

static int transfer_states(struct transfer *transfer)
{
    int error = 0;
    for (int state = MQ_READY; state < MQ_STATES && !error; state++) {
        transfer->state = (enum mq_state)state;
        error = fs_list_at(transfer->from_queue, name_of_state(transfer->state), transfer_bucket, transfer);
        if (error == -ENOENT) /* removed already, being empty */
            error = 0;
    }
    return error;
}

static int transfer_all(int from_queue, int to_queue)
{
    struct transfer transfer = {.from_queue = from_queue,
                                .to_queue = to_queue,
                                .from_tmp = fs_open_dir(from_queue, "tmp"),
                                .to_tmp = fs_open_dir(to_queue, "tmp")};
    int error = transfer.from_tmp < 0 ? transfer.from_tmp : transfer.to_tmp < 0 ? transfer.to_tmp : 0;
    if (!error)
        error = access_read(to_queue, &transfer.to_sharing);
    if (!error)
        error = transfer_states(&transfer);
    if (transfer.from_tmp >= 0)
        close(transfer.from_tmp);
    if (transfer.to_tmp >= 0)
        close(transfer.to_tmp);
    return error;
}

/* ---- what was found to be empty --------------------------------------------------- */

static bool is_state(const char *name)
{
    for (int state = MQ_READY; state < MQ_STATES; state++)
        if (strcmp(name, name_of_state((enum mq_state)state)) == 0)
            return true;
    return false;
}

static int remove_other(void *context, const char *name, unsigned char type)
{
    const int dir = *(const int *)context;
    if (is_state(name) || strcmp(name, "config") == 0)
        return 0;
    const int error = type == DT_DIR ? spool_remove_tree(dir, name) : fs_unlink(dir, name);
    return error == -ENOENT ? 0 : error;
}

/* The states go by rmdir only: somebody who has had the queue open for long may make one again, and move a message into
   it. What he could miss goes last. */
static int remove_contents(int queue_dir)
{
    int error = fs_list_at(queue_dir, ".", remove_other, &(int){queue_dir});
    if (!error)
        error = remove_states(queue_dir);
    if (!error)
        error = fs_unlink(queue_dir, "config");
    return error == -ENOENT ? 0 : error;
}

/* Remove a queue whose states are removed, by a name that nobody else uses. -ENOTEMPTY: there is a message in it. */
static int remove_emptied(int spool, const char *name)
{
    const int dir = fs_open_dir(spool, name);
    int error = dir < 0 ? dir : 0, removed = -ENOTEMPTY;
    while (!error && removed == -ENOTEMPTY) {
        error = remove_contents(dir);
        if (!error)
            removed = fs_remove_dir(spool, name);
    }
    if (dir >= 0)
        close(dir);
    return error ? error : removed == -ENOENT ? 0 : removed;
}

/* Nobody is to put a queue back that is being removed. -EAGAIN: somebody has put it back. */
static int discard(int spool, const char *held, const char *queue)
{
    char emptied[NAME_PENDING_SIZE];
    name_format_pending(NAME_EMPTIED, queue, id_random(), emptied);
    int error = fs_rename(spool, held, spool, emptied);
    if (error)
        return error == -ENOENT ? -EAGAIN : error;
    error = remove_emptied(spool, emptied);
    if (error != -ENOTEMPTY)
        return error;
    const int again = fs_rename(spool, emptied, spool, held);
    return again ? again : error;
}

/* ---- putting back ----------------------------------------------------------------- */

/* Move the messages of a held queue into the one that has its name by now. Who had the held one open may still
   put something into it: again, until its states could be removed, which nobody can put anything into. */
static int merge(int spool, const char *held, int held_dir, const char *queue)
{
    const int other = fs_open_dir(spool, queue);
    int error = other < 0 ? other : spool_heal(other);
    if (!error)
        error = -ENOTEMPTY;
    while (error == -ENOTEMPTY) {
        error = transfer_all(held_dir, other);
        if (!error)
            error = remove_states(held_dir);
        if (!error)
            error = discard(spool, held, queue);
    }
    if (other >= 0)
        close(other);
    return error == -EAGAIN ? 0 : error;
}

/* A directory without anything in it is nobody's queue. */
static int rename_or_merge(int spool, const char *held, int held_dir, const char *queue)
{
    int error = fs_rename(spool, held, spool, queue);
    if (error == -EEXIST && fs_remove_dir(spool, queue) == 0)
        error = fs_rename(spool, held, spool, queue);
    return error == -EEXIST || error == -ENOTEMPTY ? merge(spool, held, held_dir, queue) : error;
}

/* Give a held queue its name again; where a new queue has that name, the messages go there. That one may be
   deleted, too, while we are at it: then the name is free, or somebody else's, and we begin again. Somebody else may
   do the same at once. */
static int put_back(int spool, const char *held, const char *queue)
{
    const int dir = fs_open_dir(spool, held);
    if (dir < 0)
        return dir == -ENOENT ? 0 : dir;
    /* With what room there is: the messages that are there need no more. */
    if (spool_heal(dir) == 0)
        (void)fs_sync(dir);
    int error, is_held;
    do {
        error = rename_or_merge(spool, held, dir, queue);
        is_held = error == -ENOENT ? fs_has(spool, held) : 0;
    } while (is_held == 1);
    close(dir);
    return is_held < 0 ? is_held : error == -ENOENT ? 0 : error;
}

/* Whoever is alive decides in less than this; nobody waits longer for him. */
#define HELD_AGE CLOCK_SECOND

struct held_search {
    int spool;
    const char *queue;
    int64_t youngest; /* when the last of them got its name */
    char held[NAME_PENDING_SIZE];
};

static int find_held(void *context, const char *name, unsigned char type)
{
    struct held_search *search = context;
    enum name_pending kind;
    char queue[MQ_QUEUE_NAME_SIZE];
    struct stat status;
    if (type != DT_DIR || !name_parse_pending(name, &kind, queue) || kind != NAME_HELD ||
        strcmp(queue, search->queue) != 0)
        return 0;
    if (fstatat(search->spool, name, &status, AT_SYMLINK_NOFOLLOW) < 0)
        return errno == ENOENT ? 0 : -errno;
    search->youngest = status.st_ctim.tv_sec * CLOCK_SECOND + status.st_ctim.tv_nsec / 1000;
    snprintf(search->held, sizeof search->held, "%s", name);
    return 1;
}

/* Where this process may not see or rename them, that is for somebody else to do. */
static bool is_forbidden(int error)
{
    return error == -EACCES || error == -EPERM || error == -EROFS;
}

int spool_give_back(int spool, const char *queue, bool at_once)
{
    struct held_search search = {.spool = spool, .queue = queue};
    const int found = fs_list_at(spool, ".", find_held, &search);
    if (found <= 0)
        return is_forbidden(found) ? 0 : found;
    const int64_t age = clock_now() - search.youngest;
    if (!at_once && age >= 0 && age < HELD_AGE)
        return -EAGAIN;
    const int error = put_back(spool, search.held, queue);
    return error ? (is_forbidden(error) ? 0 : error) : 1;
}

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
    int error = remove_states(dir);
    if (!error)
        error = discard(spool, held, queue);
    if (error == -EAGAIN)
        (void)spool_heal(dir); /* of a queue that is in use again we have removed the states */
    close(dir);
    const int put = error && error != -EAGAIN ? put_back(spool, held, queue) : 0;
    return put ? put : error;
}

/* Where it is a lower layer's, as overlayfs says, it cannot be renamed. It keeps its name until all of it is gone. */
static int delete_in_place(int spool, const char *queue)
{
    const int dir = fs_open_dir(spool, queue);
    if (dir < 0)
        return dir;
    int error = remove_states(dir);
    if (!error)
        error = remove_emptied(spool, queue);
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
};

/* Nobody is at it any more: what was held and is not empty is a queue again, the rest goes. */
static int finish(int spool, enum name_pending kind, const char *name, const char *queue)
{
    int error = kind == NAME_HELD      ? finish_held(spool, name, queue)
                : kind == NAME_EMPTIED ? remove_emptied(spool, name)
                                       : spool_remove_tree(spool, name);
    if (error == -ENOTEMPTY && kind == NAME_EMPTIED)
        error = put_back(spool, name, queue);
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
    walk->removed += finish(walk->spool, kind, name, queue) == 0;
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
    return error ? error : walk.removed;
}
