/* Queues that a deleter holds: emptying them, removing them and putting them back. */
#include "store/held.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fs.h"
#include "base/fs_list.h"
#include "base/fs_network.h"
#include "base/id.h"
#include "format/name.h"
#include "format/spool_name.h"
#include "store/access.h"
#include "store/adopt.h"
#include "store/bucket.h"
#include "store/held_lanes.h"
#include "store/layout.h"

static int remove_bucket(void *context, const char *name, unsigned char type)
{
    const int dir = *(const int *)context;
    return type == DT_DIR ? fs_remove_dir(dir, name) : -ENOTEMPTY;
}

/* Remove the directory of a state if no message is in it. After that no process can put a message in. */
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

/* rmdir decides what is empty: a message that is sent in the meantime keeps its bucket. */
int held_remove_states(int queue_dir)
{
    int error = 0;
    for (int state = MQ_READY; state < MQ_STATES && !error; state++)
        error = remove_state(queue_dir, (enum mq_state)state);
    return error ? error : held_lanes_remove(queue_dir);
}

/* ---- putting back a queue that was found not to be empty ------------------------- */

struct transfer {
    enum mq_state state;
    int from_queue, to_queue;
    unsigned to_sharing;
    int from_tmp, to_tmp;
    int from, to; /* buckets */
};

/* The two queues may have different users, so the new queue adopts the file. */
static int transfer_file(const struct transfer *transfer, int from, int to, const char *name)
{
    const int error = adopt_file(transfer->to_queue, transfer->to_sharing, from, name);
    return error ? error : fs_rename(from, name, to, name);
}

/* The link of a split is moved before the name that has its mark. Otherwise a receiver there would take the split for
   finished. */
static int transfer_split(const struct transfer *transfer, const struct message_name *name)
{
    char split[NAME_SIZE];
    name_format_split(name, split);
    const int error = transfer_file(transfer, transfer->from_tmp, transfer->to_tmp, split);
    return error == -ENOENT ? 0 : error;
}

/* A file that is not a message is moved too, and mq_check finds it in the new queue. If it stayed, the held queue could
   never be removed. If the new queue has a file of the same name, the file here is removed. */
static int transfer_stray(int from, const char *name, int to)
{
    const int error = fs_rename(from, name, to, name);
    if (error == -EEXIST)
        (void)fs_unlink(from, name);
    return error == -EEXIST || error == -ENOENT ? 0 : error;
}

static int transfer_stray_in_state(void *context, const char *name, unsigned char type)
{
    const struct transfer *transfer = context;
    const char *state = name_of_state(transfer->state);
    if (type == DT_DIR && name_is_bucket(transfer->state, name))
        return 0;
    const int from = fs_open_dir(transfer->from_queue, state),
              to = from < 0 ? from : fs_open_dir(transfer->to_queue, state);
    const int error = to < 0 ? to : transfer_stray(from, name, to);
    if (from >= 0)
        close(from);
    if (to >= 0)
        close(to);
    return error;
}

static int transfer_message(void *context, const char *file, unsigned char type)
{
    const struct transfer *transfer = context;
    struct message_name name;
    int error = 0;
    if (type != DT_REG)
        return transfer_stray(transfer->from, file, transfer->to);
    const bool is_message = name_parse(transfer->state, file, &name);
    if (is_message && name.lane[0]) { /* a token: its lane is gone */
        error = fs_unlink(transfer->from, file);
        return error == -ENOENT ? 0 : error;
    }
    if (is_message && name.split)
        error = transfer_split(transfer, &name);
    return error ? error : transfer_file(transfer, transfer->from, transfer->to, file);
}

static int transfer_bucket(void *context, struct bucket *bucket)
{
    struct transfer *transfer = context;
    transfer->from = bucket->dir;
    transfer->to = bucket_make(transfer->to_queue, transfer->to_sharing, bucket->state, bucket->name);
    if (transfer->to < 0)
        return transfer->to;
    const int error = fs_list(bucket->dir, transfer_message, transfer);
    close(transfer->to);
    return error;
}

/* -ENOENT means that the state's directory was removed, because it was empty, or that another process moved a file
   first. The caller finds out whether something is left. */
static int transfer_state(struct transfer *transfer, enum mq_state state)
{
    transfer->state = state;
    int error = fs_list_at(transfer->from_queue, name_of_state(state), transfer_stray_in_state, transfer);
    if (!error)
        error = bucket_each(transfer->from_queue, state, transfer_bucket, transfer);
    return error == -ENOENT ? 0 : error;
}

static int transfer_states(struct transfer *transfer)
{
    int error = 0;
    for (int state = MQ_READY; state < MQ_STATES && !error; state++)
        error = transfer_state(transfer, (enum mq_state)state);
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
        error = held_lanes_transfer(from_queue, to_queue, transfer.to_sharing);
    if (!error)
        error = transfer_states(&transfer);
    if (transfer.from_tmp >= 0)
        close(transfer.from_tmp);
    if (transfer.to_tmp >= 0)
        close(transfer.to_tmp);
    return error;
}

/* ---- removing a queue that was found to be empty ------------------------------------ */

static int remove_other(void *context, const char *name, unsigned char type)
{
    const int dir = *(const int *)context;
    if (name_is_of_state(name) || strcmp(name, "config") == 0 || strcmp(name, "lanes") == 0)
        return 0;
    const int error = type == DT_DIR ? spool_remove_tree(dir, name) : fs_unlink(dir, name);
    return error == -ENOENT ? 0 : error;
}

/* The states' directories, and the lanes, are removed by rmdir alone: a process that opened the queue long ago may make
   one again and move a message into it. The configuration is removed last, because that process could miss it. */
static int remove_contents(int queue_dir)
{
    int error = fs_list_at(queue_dir, ".", remove_other, &(int){queue_dir});
    if (!error)
        error = held_remove_states(queue_dir);
    if (!error)
        error = fs_unlink(queue_dir, "config");
    return error == -ENOENT ? 0 : error;
}

int held_remove_emptied(int spool, const char *name)
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

/* Under its new name no other process puts the queue back while it is removed. */
int held_discard(int spool, const char *held, const char *queue)
{
    char emptied[NAME_PENDING_SIZE];
    name_format_pending(NAME_EMPTIED, queue, id_random(), emptied);
    int error = fs_rename(spool, held, spool, emptied);
    if (error)
        return error == -ENOENT ? -EAGAIN : error;
    error = held_remove_emptied(spool, emptied);
    if (error != -ENOTEMPTY)
        return error;
    const int again = fs_rename(spool, emptied, spool, held);
    return again ? again : error;
}

/* ---- putting back ----------------------------------------------------------------- */

/* A held queue is emptied again as long as processes that still use it put messages into it. After this many times the
   rest is left to a later sweep. */
#define MERGE_TRIES 1000

/* Move the messages of a held queue into the new queue of its name. A process that has the held queue open may still
   put messages into it, so this is repeated until the states' directories can be removed. */
static int merge(int spool, const char *held, int held_dir, const char *queue)
{
    const int other = fs_open_dir(spool, queue);
    int error = other < 0 ? other : spool_heal(other);
    if (!error)
        error = -ENOTEMPTY;
    for (int tries = 0; tries < MERGE_TRIES && error == -ENOTEMPTY; tries++) {
        error = transfer_all(held_dir, other);
        if (!error)
            error = held_remove_states(held_dir);
        if (!error)
            error = held_discard(spool, held, queue);
    }
    if (other >= 0)
        close(other);
    return error == -EAGAIN ? 0 : error;
}

/* An empty directory that has the queue's name is not a queue, and is removed. */
static int rename_or_merge(int spool, const char *held, int held_dir, const char *queue)
{
    int error = fs_rename(spool, held, spool, queue);
    if (error == -EEXIST && fs_remove_dir(spool, queue) == 0)
        error = fs_rename(spool, held, spool, queue);
    return error == -EEXIST || error == -ENOTEMPTY ? merge(spool, held, held_dir, queue) : error;
}

/* The new queue of that name may be deleted during the merge. Then the name is free, or a third queue has it, and the
   same steps are tried again. */
int held_put_back(int spool, const char *held, const char *queue)
{
    const int dir = fs_open_dir(spool, held);
    if (dir < 0)
        return dir == -ENOENT ? 0 : dir;
    /* If the disk is full some parts stay missing: the messages that are there do not need them. */
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

/* A deleter that is alive decides within this time. No process waits longer for it. */
#define HELD_AGE CLOCK_SECOND

struct held_search {
    int spool;
    const char *queue;
    int64_t youngest; /* when the queue that was found got its name */
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
        return fs_error_unless_gone();
    search->youngest = status.st_ctim.tv_sec * CLOCK_SECOND + status.st_ctim.tv_nsec / 1000;
    snprintf(search->held, sizeof search->held, "%s", name);
    return 1;
}

bool held_is_forbidden(int error)
{
    return error == -EACCES || error == -EPERM || error == -EROFS;
}

int held_give_back(int spool, const char *queue, bool at_once)
{
    struct held_search search = {.spool = spool, .queue = queue};
    const int found = fs_list_at(spool, ".", find_held, &search);
    if (found <= 0)
        return held_is_forbidden(found) ? 0 : found;
    const int64_t age = clock_now() - search.youngest;
    if (!at_once && ((age >= 0 && age < HELD_AGE) || fs_is_network(spool) != 0)) /* there an age tells nothing */
        return -EAGAIN;
    const int error = held_put_back(spool, search.held, queue);
    return error ? (held_is_forbidden(error) ? 0 : error) : 1;
}
