/*
 * Deleting queues.
 *
 * A queue that is to be deleted loses its name first, by one rename, so that whoever sends from then on makes a
 * new one. Without force it is looked at only then: rmdir decides whether it is empty, so a message that is sent
 * by somebody who had it open before keeps its bucket, and the queue is put back.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "access.h"
#include "bucket.h"
#include "clock.h"
#include "fs.h"
#include "id.h"
#include "name.h"
#include "outbox.h"
#include "spool.h"
#include "survey.h"

/* What a creator or deleter leaves when it dies may be removed when no live one can still be at it; as for
   tmp/ in sweep.c. */
#define PENDING_AGE (36 * 3600)

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
static int transfer_split(const struct transfer *transfer, const struct name *name)
{
    char split[NAME_SIZE];
    name_format_split(name, split);
    const int error = fs_rename(transfer->from_tmp, split, transfer->to_tmp, split);
    return error == -ENOENT ? 0 : error;
}

static int transfer_message(void *context, const char *file, unsigned char type)
{
    const struct transfer *transfer = context;
    struct name name;
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

/* Move the messages of a held queue into the one that has its name by now. Who had the held one open may still
   put something into it: again, until its states could be removed, which nobody can put anything into. */
static int merge(int spool, const char *held, int held_dir, const char *queue)
{
    const int other = fs_open_dir(spool, queue);
    int error = other < 0 ? other : -ENOTEMPTY;
    while (error == -ENOTEMPTY) {
        error = transfer_all(held_dir, other);
        if (!error)
            error = remove_states(held_dir);
    }
    if (other >= 0)
        close(other);
    return error ? error : spool_remove_tree(spool, held);
}

/* Give a held queue its name again; where a new queue has that name, the messages go there. That one may be
   deleted, too, while we are at it: then the name is free, or somebody else's, and we begin again. */
static int put_back(int spool, const char *held, const char *queue)
{
    const int dir = fs_open_dir(spool, held);
    if (dir < 0)
        return dir;
    /* With what room there is: the messages that are there need no more. */
    unsigned sharing;
    int error = access_read(dir, &sharing);
    if (!error && spool_make_dirs(dir, sharing) == 0)
        (void)fs_sync(dir);
    do {
        error = fs_rename(spool, held, spool, queue);
        if (error == -EEXIST || error == -ENOTEMPTY)
            error = merge(spool, held, dir, queue);
    } while (error == -ENOENT && fs_exists(spool, held));
    close(dir);
    return error;
}

/* Deletions are synced by `dir`, the queue as it was found: for where the spool itself cannot be. */

static int delete_forced(int spool, int dir, const char *queue)
{
    char gone[NAME_PENDING_SIZE];
    name_format_pending(NAME_GONE, queue, id_random(), gone);
    int error = fs_rename(spool, queue, spool, gone);
    if (!error)
        error = fs_sync_passage(spool, dir);
    return error ? error : spool_remove_tree(spool, gone);
}

/* What was renamed decides, not what was found: the name may have become another queue's. */
static int remove_held_states(int spool, const char *held)
{
    const int dir = fs_open_dir(spool, held);
    const int error = dir < 0 ? dir : remove_states(dir);
    if (dir >= 0)
        close(dir);
    return error;
}

/* Out of sight first, so that whoever sends from now on makes a new queue; then looked at. */
static int delete_empty(int spool, int dir, const char *queue)
{
    char held[NAME_PENDING_SIZE];
    name_format_pending(NAME_HELD, queue, id_random(), held);
    int error = fs_rename(spool, queue, spool, held);
    if (error)
        return error;
    error = remove_held_states(spool, held);
    if (error) {
        const int put = put_back(spool, held, queue);
        return put ? put : error;
    }
    error = spool_remove_tree(spool, held);
    return error ? error : fs_sync_passage(spool, dir);
}

static bool holds_messages(int spool, const char *queue)
{
    int64_t count = 0;
    const int dir = fs_open_dir(spool, queue);
    for (int state = MQ_READY; state < MQ_STATES && dir >= 0 && count == 0; state++)
        (void)survey_count(dir, (enum mq_state)state, 1, &count);
    if (dir >= 0)
        close(dir);
    return count > 0;
}

static int delete_in(int spool, const char *queue, bool force)
{
    const int dir = spool_find_queue(spool, queue);
    if (dir < 0)
        return dir;
    int error;
    if (force)
        error = delete_forced(spool, dir, queue);
    else
        error = holds_messages(spool, queue) ? -ENOTEMPTY : delete_empty(spool, dir, queue);
    close(dir);
    return error;
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
    const bool keep = kind == NAME_HELD && holds_messages(walk->spool, name);
    if ((keep ? put_back(walk->spool, name, queue) : spool_remove_tree(walk->spool, name)) == 0)
        walk->removed++;
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
