/* Making groups, and moving them to another place. */
#include <errno.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/id.h"
#include "base/journal.h"
#include "format/spool_name.h"
#include "log/end.h"
#include "log/group.h"
#include "log/log.h"
#include "queue/bell.h"
#include "store/layout.h"
#include "store/spool.h"

#define TRIES 1000

/* ---- making ------------------------------------------------------------------------------ */

int group_make_cursor(int group_dir, uint64_t next)
{
    const struct group_place place = {.next = next, .mark = id_random()};
    char name[GROUP_NAME_SIZE];
    const int made = fs_make_dir(group_dir, GROUP_CURSOR);
    const int cursor = made && made != -EEXIST ? made : fs_open_dir(group_dir, GROUP_CURSOR);
    group_name_format(&place, name);
    int error = cursor < 0 ? cursor : fs_make_empty(cursor, name, FS_FILE_MODE);
    if (!error)
        error = fs_sync(cursor);
    if (cursor >= 0)
        close(cursor);
    return error;
}

/* How a group is to be that is made. */
struct plan {
    uint64_t from;
    const char *order, *by; /* NULL: none, and the header that says nothing else */
};

static int fill(int dir, const void *context)
{
    const struct plan *plan = context;
    int error = access_open_to_others(dir, ACCESS_PRIVATE, MQ_OWN_GROUP, ACCESS_QUEUE);
    if (!error)
        error = spool_make_dirs(dir, ACCESS_PRIVATE);
    if (!error)
        error = spool_set_order(dir, ACCESS_PRIVATE, plan->order, plan->by);
    if (!error)
        error = group_make_cursor(dir, plan->from);
    return error ? error : fs_sync(dir);
}

/* The directory of a log's groups is made with its first group. */
static int open_groups(int log_dir)
{
    const int made = fs_make_dir(log_dir, NAME_GROUPS);
    int error = made == -EEXIST ? 0 : made;
    if (!made)
        error = fs_give_to_owner_of(log_dir, NAME_GROUPS);
    if (!made && !error)
        error = fs_sync(log_dir);
    return error ? error : fs_open_dir(log_dir, NAME_GROUPS);
}

static int check_offset(int log_dir, uint64_t offset)
{
    struct hint hint = {.file = -1};
    uint64_t begin, end;
    int error = chain_beginning(log_dir, &begin);
    if (!error)
        error = log_find_end(log_dir, &hint, &end);
    if (hint.file >= 0)
        close(hint.file);
    return error ? error : offset < begin || offset > end ? -ERANGE : 0;
}

/* 1 made; 0 it is there, and lacks nothing now. */
static int create(int log_dir, int groups, const char *group, const struct plan *plan)
{
    const int held = spool_await_held(groups, group);
    int error = held < 0 ? held : held == 1 || fs_has(groups, group) == 1 ? -EEXIST : check_offset(log_dir, plan->from);
    if (!error)
        error = spool_make_whole(groups, group, fill, plan);
    const int dir = error && error != -EEXIST ? error : fs_open_dir(groups, group);
    if (dir < 0)
        return dir;
    const int made = !error;
    error = made ? fs_persist_dir(groups, dir) : spool_heal(dir);
    if (!made && !error)
        error = spool_compare_order(dir, plan->order, plan->by);
    close(dir);
    return error ? error : made;
}

static int create_group(const char *spool, const char *name, const struct plan *plan)
{
    char log[MQ_QUEUE_NAME_SIZE];
    if (!mq_group_name_is_valid(name) || !spool_order_is_valid(plan->order, plan->by))
        return -EINVAL;
    name_log_part(name, log);
    const int dir = log_open_dir(spool, log);
    const int groups = dir < 0 ? dir : open_groups(dir);
    const int created = groups < 0 ? groups : create(dir, groups, name_group_part(name), plan);
    if (groups >= 0)
        close(groups);
    if (dir >= 0)
        close(dir);
    return created;
}

int mq_group_create(const char *spool, const char *name, uint64_t from)
{
    return create_group(spool, name, &(struct plan){.from = from});
}

int mq_group_create_ordered(const char *spool, const char *name, uint64_t from, const char *order, const char *by)
{
    return create_group(spool, name, &(struct plan){from, order, by});
}

/* ---- moving ---------------------------------------------------------------------------------- */

/* Off ext4 and xfs a later sync of this directory alone could let the cursor be ahead of what it was moved by. */
static int sync_cursor(int group_dir)
{
    const int cursor = fs_open_dir(group_dir, GROUP_CURSOR);
    const int error = cursor < 0 ? cursor : journal_keeps_order(cursor) ? fs_sync(cursor) : fs_sync_around(cursor);
    if (cursor >= 0)
        close(cursor);
    return error;
}

/* 1 moved; 0 another process has moved it. */
static int move_once(mq_queue *queue, uint64_t to, uint64_t *ret_from)
{
    struct group_place place, moved = {.next = to, .mark = id_random()};
    int error = group_read_place(queue->dir, &place);
    const int finished = error ? error : group_finish_take(queue, &place);
    if (finished < 0)
        return finished;
    moved.missed = place.missed;
    *ret_from = place.next;
    return group_move(queue->dir, &place, &moved);
}

static int seek(mq_queue *queue, uint64_t to, uint64_t *ret_from)
{
    uint64_t from = 0;
    const int log = group_open_log(queue->dir);
    const int error = log < 0 ? log : check_offset(log, to);
    int moved = error;
    for (int tries = 0; tries < TRIES && moved == 0; tries++)
        moved = move_once(queue, to, &from);
    if (log >= 0)
        close(log);
    if (moved == 1)
        bell_ring(queue);
    moved = moved == 0 ? -EBUSY : moved == 1 ? sync_cursor(queue->dir) : moved;
    if (!moved)
        *ret_from = from;
    return moved;
}

int mq_group_seek(const char *spool, const char *name, uint64_t to, uint64_t *ret_from)
{
    mq_queue *queue;
    int error = mq_group_name_is_valid(name) ? queue_open(spool, name, 0, &queue) : -EINVAL;
    if (error)
        return error;
    error = seek(queue, to, ret_from);
    if (error == -EUCLEAN && queue_has_name(queue) == 0)
        error = -ENOENT;
    mq_close(queue);
    return error;
}

uint64_t mq_group_overtaken(const mq_queue *group)
{
    return group_overtaken(group);
}
