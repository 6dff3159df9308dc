/*
 * Deleting queues.
 *
 * A queue that is to be deleted loses its name first, by one rename. A process that sends to the name from then on
 * makes a new queue. Without force the deleter holds the queue under another name and then finds out whether it is
 * empty. rmdir decides that: a message that a process sends with an old handle keeps its bucket, and the queue is put
 * back.
 *
 * Any process may put back a queue that is held, so nobody depends on a deleter that was killed or stopped. While the
 * queue is held the deleter does nothing that harms a queue in use. It removes the rest only after a second rename,
 * which succeeds only if the queue is still held, and after which no other process puts it back.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "admin/log_sweep.h"
#include "admin/topic_sweep.h"
#include "base/clock.h"
#include "base/fs.h"
#include "base/fs_hosts.h"
#include "base/fs_list.h"
#include "base/id.h"
#include "format/name.h"
#include "format/spool_name.h"
#include "lane/lane.h"
#include "lifecycle/outbox.h"
#include "queue/blame.h"
#include "store/access.h"
#include "store/census.h"
#include "store/held.h"
#include "store/spool.h"

/* When what a creator or a deleter has left may be removed: no process can still be working on it then (as for tmp/ in
   sweep.c). */
#define PENDING_AGE (36 * 3600)

#define TRIES 10

/* ---- deleting --------------------------------------------------------------------- */

/* Deletions are made durable through `dir`, the directory of the queue, since the spool itself may not be readable. */

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

/* Where queues lie: in the spool, or as groups of a log in the directory of these. */
struct home {
    int dir;
    const char *log; /* NULL: the spool */
};

static int count_hidden(const struct home *home, int dir, const char *queue, struct outbox_hidden *ret_hidden)
{
    char name[MQ_QUEUE_NAME_SIZE];
    unsigned sharing;
    int error = access_read(dir, &sharing);
    if (error || !home->log)
        return error ? error : outbox_count_hidden(home->dir, queue, dir, access_is_shared(sharing), ret_hidden);
    const int spool = fs_open_dir(home->dir, "../..");
    name_format_group(home->log, queue, name);
    error = spool < 0 ? spool : outbox_count_hidden(spool, name, dir, access_is_shared(sharing), ret_hidden);
    if (spool >= 0)
        close(spool);
    return error;
}

/* Whether a transaction holds a claim or a dead letter of the queue, which would come back if it were undone. */
static int is_in_transactions(const struct home *home, int dir, const char *queue)
{
    struct outbox_hidden hidden = {0};
    const int error = count_hidden(home, dir, queue, &hidden);
    if (error || hidden.claims + hidden.dead > 0)
        return error ? error : 1;
    return hidden.unseen ? -EACCES : 0;
}

/* Remove what is held by that name if it is empty, else put it back. -EAGAIN: somebody else has put it back. A claim that
   was taken into a transaction just before is looked for now: while the queue is held none can be taken. */
static int finish_held(const struct home *home, const char *held, const char *queue)
{
    const int spool = home->dir;
    const int dir = fs_open_dir(spool, held);
    if (dir < 0)
        return dir == -ENOENT ? -EAGAIN : dir;
    int error = held_remove_states(dir);
    if (!error)
        error = is_in_transactions(home, dir, queue);
    error = error == 1 ? -ENOTEMPTY : error;
    if (!error)
        error = held_discard(spool, held, queue);
    if (error == -EAGAIN)
        (void)spool_heal(dir); /* the queue is in use again, and this process has removed directories of its states */
    close(dir);
    const int put = error && error != -EAGAIN ? held_put_back(spool, held, queue) : 0;
    return put ? put : error;
}

/* On overlayfs a directory of a lower layer cannot be renamed. The queue keeps its name until all of it is removed. */
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

/* Take the name away first, so that senders make a new queue; then find out whether the queue is empty. */
static int delete_empty(const struct home *home, int dir, const char *queue)
{
    const int spool = home->dir;
    char held[NAME_PENDING_SIZE];
    name_format_pending(NAME_HELD, queue, id_random(), held);
    int error = fs_rename(spool, queue, spool, held);
    if (error == -EXDEV)
        error = delete_in_place(spool, queue);
    else if (!error)
        error = finish_held(home, held, queue);
    return error ? error : fs_sync_passage(spool, dir);
}

/* 1 or 0, or a negative errno if that cannot be known. A state whose directory is missing holds no messages. */
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

static int delete_found(const struct home *home, int dir, const char *queue, bool force)
{
    if (force)
        return delete_forced(home->dir, dir, queue);
    int holds = holds_messages(dir);
    if (holds == 0)
        holds = is_in_transactions(home, dir, queue);
    return holds < 0 ? holds : holds ? -ENOTEMPTY : delete_empty(home, dir, queue);
}

static int delete_once(const struct home *home, const char *queue, bool force)
{
    const int spool = home->dir;
    int dir = spool_find_queue(spool, queue);
    if (dir == -ENOENT) {
        const int held = spool_await_held(spool, queue);
        dir = held == 1 ? spool_find_queue(spool, queue) : held < 0 ? held : -ENOENT;
    }
    if (dir < 0)
        return dir;
    const int error = delete_found(home, dir, queue, force);
    close(dir);
    return error;
}

/* Another process may put the queue back if the deleter is slow. Then the deletion is tried again. */
static int delete_in(const struct home *home, const char *queue, bool force)
{
    int error = -EAGAIN;
    for (int tries = 0; tries < TRIES && error == -EAGAIN; tries++)
        error = delete_once(home, queue, force);
    return error == -EAGAIN ? -EBUSY : error;
}

/* Lanes at rest are no messages. If this fails, the deletion finds out why. */
static void end_rests(const char *spool, int home, const char *queue)
{
    mq_queue *handle;
    char lanes[MQ_QUEUE_NAME_SIZE + sizeof "/lanes"];
    snprintf(lanes, sizeof lanes, "%s/lanes", spool_last_part(queue));
    if (fs_has(home, lanes) != 1 || queue_open(spool, queue, 0, &handle))
        return;
    if (!queue_demand(handle, ACCESS_ALL))
        (void)lane_resume_all(handle);
    mq_close(handle);
}

int mq_delete(const char *spool, const char *queue, bool force)
{
    char log[MQ_QUEUE_NAME_SIZE];
    if (!name_is_queue(queue))
        return -EINVAL;
    struct home home = {.dir = spool_open_home(spool, queue, false), .log = name_group_part(queue) ? log : NULL};
    if (home.dir < 0)
        return home.dir;
    name_log_part(queue, log);
    if (!force)
        end_rests(spool, home.dir, queue);
    const int error = delete_in(&home, spool_last_part(queue), force);
    close(home.dir);
    return error;
}

struct pending_walk {
    struct home home;
    const char *spool_path;
    int64_t now; /* 0: what lies in topics and logs is to find it out there */
    int removed;
    int error; /* the first error that kept a directory from being judged or removed */
};

/* A directory that cannot be judged or removed does not keep the sweep from the others. */
static void note(struct pending_walk *walk, int done)
{
    walk->removed += done > 0 ? done : 0;
    blame_note(done, &walk->error);
}

/* 1: the directory is old enough that no process can still be working on it. 0: it is not. */
static int is_pending_long(const struct pending_walk *walk, const char *name)
{
    struct stat status;
    if (fstatat(walk->home.dir, name, &status, AT_SYMLINK_NOFOLLOW) < 0)
        return fs_error();
    /* ctime: when it got this name, or when an entry in it was last added or removed. */
    return walk->now / CLOCK_SECOND - status.st_ctim.tv_sec >= PENDING_AGE;
}

/* Finish what another process has left: a held queue that is not empty is put back, everything else is removed. 1: that
   is done. */
static int finish(const struct home *home, enum name_pending kind, const char *name, const char *queue)
{
    const int spool = home->dir;
    int error = kind == NAME_HELD      ? finish_held(home, name, queue)
                : kind == NAME_EMPTIED ? held_remove_emptied(spool, name)
                                       : spool_remove_tree(spool, name);
    if (error == -ENOTEMPTY && kind == NAME_EMPTIED)
        error = held_put_back(spool, name, queue);
    return error == 0 || error == -ENOTEMPTY || error == -EAGAIN ? 1 : error;
}

static int sweep_pending(void *context, const char *name, unsigned char type);

/* What makers and deleters of a log's groups have left. */
static int sweep_groups(struct pending_walk *walk, const char *log)
{
    const struct home spool = walk->home;
    const int dir = fs_open_dir_below(spool.dir, log, NAME_GROUPS);
    if (dir < 0)
        return dir == -ENOENT || dir == -ENOTDIR ? 0 : dir;
    walk->home = (struct home){dir, log};
    const int error = fs_list_at(dir, ".", sweep_pending, walk);
    walk->home = spool;
    close(dir);
    return error;
}

static int sweep_pending(void *context, const char *name, unsigned char type)
{
    struct pending_walk *walk = context;
    enum name_pending kind;
    char queue[MQ_QUEUE_NAME_SIZE];
    if (type == DT_DIR && name_is_reply(name)) {
        note(walk, spool_sweep_reply(walk->home.dir, name));
    } else if (type == DT_DIR && name_parse_pending(name, &kind, queue)) {
        const int is_old = is_pending_long(walk, name);
        note(walk, is_old == 1 ? finish(&walk->home, kind, name, queue) : is_old);
    } else if (type == DT_DIR && !walk->home.log && mq_queue_name_is_valid(name)) {
        note(walk, topic_sweep(walk->home.dir, name, walk->now));
        note(walk, log_sweep(walk->home.dir, walk->spool_path, name, walk->now));
        note(walk, sweep_groups(walk, name));
    }
    return 0;
}

static int ignore_binding(const struct mq_binding *binding, void *context)
{
    (void)binding;
    (void)context;
    return 0;
}

/* Whoever reads the bindings of a topic removes those of dead followers. */
static int look_at_topic(const char *topic, void *context)
{
    (void)mq_topic_bindings(context, topic, ignore_binding, NULL);
    return 0;
}

int mq_sweep_spool(const char *spool)
{
    struct pending_walk walk = {.home = {.dir = spool_open(spool, false)}, .spool_path = spool};
    char name[NAME_PENDING_SIZE];
    if (walk.home.dir < 0)
        return walk.home.dir == -ENOENT ? 0 : walk.home.dir;
    bool any;
    name_format_pending(NAME_GONE, "time", id_random(), name); /* what is left of it is swept as a queue's */
    int listed = fs_find_time(walk.home.dir, &(unsigned long){0}, name, &walk.now);
    if (held_is_forbidden(listed)) /* then nothing pending is this user's to finish either */
        listed = 0;
    if (!listed)
        listed = fs_list_at(walk.home.dir, ".", sweep_pending, &walk);
    close(walk.home.dir);
    const int topics = mq_topic_list(spool, look_at_topic, (void *)spool),
              unfinished = outbox_finish_all(spool, OUTBOX_AT_ONCE, OUTBOX_NO_TIME, &any);
    const int error = listed ? listed : topics ? topics : unfinished;
    return error ? error : walk.error ? walk.error : walk.removed;
}
