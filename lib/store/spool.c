/* Spools: where they are, which queues they hold, and making queues. */
#include "store/spool.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/fs_list.h"
#include "base/grow.h"
#include "format/name.h"
#include "format/spool_name.h"
#include "store/access.h"
#include "store/config.h"
#include "store/held.h"

/* After a queue that is being made was deleted this many times, making it fails with -ENOENT. */
#define TRIES 10

/* ---- places ---------------------------------------------------------------------- */

static int copy_text(char *ret_text, size_t size, const char *first, const char *second)
{
    const size_t first_size = strlen(first), second_size = strlen(second) + 1;
    if (first_size + second_size > size)
        return -ENAMETOOLONG;
    memcpy(ret_text, first, first_size);
    memcpy(ret_text + first_size, second, second_size);
    return 0;
}

int mq_spool_path(const char *spool, char *ret_path, size_t size)
{
    if (!spool)
        spool = getenv("MQ_SPOOL");
    if (spool && *spool)
        return copy_text(ret_path, size, spool, "");
    if (geteuid() == 0)
        return copy_text(ret_path, size, "/var/spool/mq", "");
    const char *state = getenv("XDG_STATE_HOME"), *home = getenv("HOME");
    if (state && *state == '/')
        return copy_text(ret_path, size, state, "/mq");
    return home && *home ? copy_text(ret_path, size, home, "/.local/state/mq") : -ENOENT;
}

int spool_open(const char *spool, bool make)
{
    char path[PATH_MAX];
    const int error = mq_spool_path(spool, path, sizeof path);
    return error ? error : fs_open_root(path, make);
}

/* The directory of a log's groups. What is no directory has none. */
static int open_groups(int spool, const char *name)
{
    char log[MQ_QUEUE_NAME_SIZE];
    name_log_part(name, log);
    const int dir = fs_open_dir(spool, log);
    const int groups = dir < 0 ? dir : fs_open_dir(dir, NAME_GROUPS);
    if (dir >= 0)
        close(dir);
    return groups == -ENOTDIR || groups == -ELOOP ? -ENOENT : groups;
}

int spool_open_home(const char *spool, const char *name, bool make)
{
    const int root = spool_open(spool, make);
    if (root < 0 || !name_group_part(name))
        return root;
    const int groups = open_groups(root, name);
    close(root);
    return groups;
}

const char *spool_last_part(const char *name)
{
    const char *group = name_group_part(name);
    return group ? group : name;
}

int spool_find_queue(int spool, const char *name)
{
    const int dir = mq_queue_name_is_valid(name) ? fs_open_dir(spool, name) : -ENOENT;
    if (dir < 0)
        return dir == -ENOTDIR ? -ENOENT : dir;
    const int is = layout_is_queue(dir);
    if (is == 1)
        return dir;
    close(dir);
    return is ? is : -ENOENT;
}

int spool_has_queue(int spool, const char *name)
{
    const int dir = spool_find_queue(spool, name);
    if (dir < 0)
        return dir == -ENOENT || dir == -EACCES ? 0 : dir;
    close(dir);
    return 1;
}

struct search {
    int dir;         /* of the spool, or of a log's groups */
    const char *log; /* NULL: the spool */
    char **names;
    size_t count, room;
};

static int add_name(struct search *search, const char *name)
{
    char group[MQ_QUEUE_NAME_SIZE];
    if (search->log)
        name_format_group(search->log, name, group);
    char *copy = GROW(search->names, search->count + 1, search->room) ? strdup(search->log ? group : name) : NULL;
    if (!copy)
        return -ENOMEM;
    search->names[search->count++] = copy;
    return 0;
}

static int add_queue(void *context, const char *name, unsigned char type);

static int add_groups(struct search *search, const char *log)
{
    const int spool = search->dir, groups = open_groups(spool, log);
    if (groups < 0)
        return groups == -ENOENT || groups == -EACCES ? 0 : groups;
    search->dir = groups;
    search->log = log;
    const int stop = fs_list_at(groups, ".", add_queue, search);
    search->dir = spool;
    search->log = NULL;
    close(groups);
    return stop;
}

/* Most queues have all of their directories, and are recognised by one call. */
static int is_queue(int dir, const char *name)
{
    char ready[MQ_QUEUE_NAME_SIZE + sizeof "/ready"];
    snprintf(ready, sizeof ready, "%s/%s", name, name_of_state(MQ_READY));
    return fs_exists(dir, ready) ? 1 : spool_has_queue(dir, name);
}

static int add_queue(void *context, const char *name, unsigned char type)
{
    struct search *search = context;
    if (type != DT_DIR || name_is_reply(name) || !mq_queue_name_is_valid(name))
        return 0;
    const int is = is_queue(search->dir, name);
    if (is == 1)
        return add_name(search, name);
    return is < 0 || search->log ? is : add_groups(search, name);
}

static int compare_strings(const void *one, const void *other)
{
    return strcmp(*(char *const *)one, *(char *const *)other);
}

int mq_list(const char *spool, int (*each)(const char *queue, void *context), void *context)
{
    struct search search = {.dir = spool_open(spool, false)};
    if (search.dir < 0)
        return search.dir == -ENOENT ? 0 : search.dir;
    int stop = fs_list_at(search.dir, ".", add_queue, &search);
    close(search.dir);
    if (search.count > 0)
        qsort(search.names, search.count, sizeof *search.names, compare_strings);
    for (size_t i = 0; i < search.count; i++) {
        if (!stop)
            stop = each(search.names[i], context);
        free(search.names[i]);
    }
    free(search.names);
    return stop;
}

/* ---- creating ------------------------------------------------------------------- */

/* How a queue that is to be made will be shared. */
struct plan {
    unsigned sharing;
    gid_t group;            /* MQ_OWN_GROUP: the creator's */
    const char *order, *by; /* NULL: none; and the header that says nothing else */
};
static const struct plan private_plan = {ACCESS_PRIVATE, MQ_OWN_GROUP, NULL, NULL};

int spool_set_order(int dir, unsigned sharing, const char *order, const char *by)
{
    const int tmp = order ? fs_open_dir(dir, "tmp") : -1;
    if (!order || tmp < 0)
        return order ? tmp : 0;
    int error = config_make(dir, tmp, "order", order);
    if (!error && by)
        error = config_make(dir, tmp, "order-by", by);
    close(tmp);
    return error ? error : access_make_dir(dir, sharing, dir, "lanes");
}

static int fill(int dir, const void *context)
{
    const struct plan *plan = context;
    int error = access_open_to_others(dir, plan->sharing, plan->group, ACCESS_QUEUE);
    if (!error)
        error = spool_make_dirs(dir, plan->sharing);
    if (!error)
        error = spool_set_order(dir, plan->sharing, plan->order, plan->by);
    return error ? error : fs_sync(dir);
}

/* The errors of syncing a directory that is read-only, or on a file system that cannot sync: the parent of a spool that
   is mounted there may be like that. */
static bool cannot_sync(int error)
{
    return error == -EROFS || error == -EINVAL;
}

/* Make the names of the queue and of the spool durable. */
static int settle(int spool, int dir)
{
    const int parent = fs_open_dir(spool, "..");
    if (parent == -EACCES) /* only the administrator can sync a parent that this process may not read */
        return fs_persist_dir(spool, dir);
    const int error = parent < 0 ? parent : fs_sync(parent);
    if (parent >= 0)
        close(parent);
    return error && !cannot_sync(error) ? error : fs_persist_dir(spool, dir);
}

int spool_persist_queue(const char *spool, const char *name, int queue_dir)
{
    if (fs_is_persisted(queue_dir))
        return 0;
    const int root = spool_open_home(spool, name, false);
    const int error = root < 0 ? root : settle(root, queue_dir);
    if (root >= 0)
        close(root);
    return error;
}

/* An empty directory that has the name is no queue, and is removed. A topic that has it costs no more than a look. */
static int create_anew(int spool, const char *name, const struct plan *plan)
{
    const int removed = fs_remove_dir(spool, name);
    if (removed == -ENOTEMPTY || removed == -EEXIST)
        return -EEXIST;
    const int error = spool_make_whole(spool, name, fill, plan);
    return error == -EEXIST && fs_remove_dir(spool, name) == 0 ? spool_make_whole(spool, name, fill, plan) : error;
}

static int create(int spool, const char *name, const struct plan *plan)
{
    const int error = create_anew(spool, name, plan);
    const int dir = error ? -1 : fs_open_dir(spool, name);
    if (dir < 0)
        return error == -EEXIST ? 0 : error;
    const int settled = settle(spool, dir);
    close(dir);
    return settled ? settled : 1;
}

int spool_compare_order(int dir, const char *order, const char *by)
{
    struct config config;
    char its[CONFIG_VALUE_SIZE];
    const int error = order ? config_load(dir, &config, NULL) : 0;
    if (error || !order)
        return error;
    config_get(&config, "order", its);
    return strcmp(its, order) == 0 && (!by || strcmp(config.order_by, by) == 0) ? 0 : -ESTALE;
}

bool spool_order_is_valid(const char *order, const char *by)
{
    char problem[CONFIG_PROBLEM_SIZE];
    return mq_config_check("order", order, problem, sizeof problem) == 0 &&
           mq_config_check("order-by", by, problem, sizeof problem) == 0;
}

/* Whether the existing queue is shared as planned: 0, else -EEXIST. */
static int compare(int spool, const char *queue, const struct plan *plan)
{
    unsigned sharing;
    const int dir = fs_open_dir(spool, queue);
    if (dir < 0)
        return dir;
    int error = access_read(dir, &sharing);
    if (!error)
        error = spool_compare_order(dir, plan->order, plan->by);
    if (!error)
        error = access_compare(dir, sharing, plan->sharing, plan->group);
    close(dir);
    return error;
}

/* 1: made; 0: it was there, and lacks nothing now; -ENOENT: it was deleted meanwhile. */
static int create_or_heal(int spool, const char *queue, const struct plan *plan)
{
    int dir = spool_find_queue(spool, queue);
    if (dir == -ENOENT) {
        const int held = spool_await_held(spool, queue), created = held < 0 ? held : create(spool, queue, plan);
        if (created)
            return created;
        dir = spool_find_queue(spool, queue);
    }
    if (dir == -ENOENT || dir == -EACCES) {
        const int has = fs_has(spool, queue), there = dir == -ENOENT ? -ENOTDIR : 0;
        return has == 1 ? there : has < 0 ? has : dir;
    }
    if (dir < 0)
        return dir;
    const int error = spool_heal(dir);
    close(dir);
    return error == -EACCES || error == -EROFS ? 0 : error; /* other users make what it lacks */
}

static int create_missing(int spool, const char *queue, const struct plan *plan)
{
    int created = -ENOENT;
    for (int tries = 0; tries < TRIES && created == -ENOENT; tries++)
        created = create_or_heal(spool, queue, plan);
    return created;
}

int mq_create(const char *spool, const char *queue)
{
    if (!mq_queue_name_is_valid(queue))
        return -EINVAL;
    const int root = spool_open(spool, true);
    if (root < 0)
        return root;
    const int created = create_missing(root, queue, &private_plan);
    close(root);
    return created;
}

static int create_as(const char *spool, const char *queue, const struct plan *plan)
{
    if (!mq_queue_name_is_valid(queue) || !access_is_valid(plan->sharing))
        return -EINVAL;
    const int root = spool_open(spool, true);
    if (root < 0)
        return root;
    int created = create_missing(root, queue, plan);
    if (created == 0)
        created = compare(root, queue, plan);
    close(root);
    return created;
}

bool mq_mode_is_valid(unsigned mode)
{
    return access_is_valid(mode);
}

int mq_create_shared(const char *spool, const char *queue, unsigned mode, gid_t group)
{
    return create_as(spool, queue, &(struct plan){mode, group, NULL, NULL});
}

int mq_create_ordered(const char *spool, const char *queue, const char *order, unsigned mode, gid_t group)
{
    return mq_create_ordered_by(spool, queue, order, NULL, mode, group);
}

int mq_create_ordered_by(const char *spool, const char *queue, const char *order, const char *by, unsigned mode,
                         gid_t group)
{
    if (!spool_order_is_valid(order, by) || access_has_inbox(mode))
        return -EINVAL;
    return create_as(spool, queue, &(struct plan){mode, group, order, by});
}

/* ---- opening --------------------------------------------------------------------- */

/* How often to look at a queue that is held, and the pause between two looks. */
#define HELD_LOOKS 100
#define HELD_PAUSE 10 /* milliseconds */

int spool_await_held(int spool, const char *queue)
{
    int held = name_is_reply(queue) ? 0 : -EAGAIN;
    for (int looks = 0; held == -EAGAIN; looks++) {
        held = fs_has(spool, queue);
        if (held == 0)
            held = held_give_back(spool, queue, looks >= HELD_LOOKS);
        if (held == -EAGAIN)
            (void)poll(NULL, 0, HELD_PAUSE);
    }
    return held;
}

static int open_in(int spool, const char *name, unsigned flags)
{
    int dir = fs_open_passage(spool, name);
    if (dir != -ENOENT)
        return dir;
    const int held = spool_await_held(spool, name);
    if (held < 0)
        return held;
    if (held == 1)
        dir = fs_open_passage(spool, name);
    if (dir != -ENOENT || !(flags & MQ_CREATE))
        return dir;
    const int created = create(spool, name, &private_plan);
    return created < 0 ? created : fs_open_passage(spool, name);
}

int spool_open_at_once(const char *spool, const char *name)
{
    char path[PATH_MAX];
    const int error = mq_spool_path(spool, path, sizeof path);
    const size_t length = error ? 0 : strlen(path);
    if (error || length + 1 + strlen(name) >= sizeof path)
        return -ENAMETOOLONG;
    path[length] = '/';
    strcpy(path + length + 1, name);
    return fs_open_dir(AT_FDCWD, path);
}

int spool_open_queue(const char *spool, const char *name, unsigned flags)
{
    const bool is_group = name_group_part(name);
    const int dir_at_once = is_group ? -ENOENT : spool_open_at_once(spool, name);
    if (dir_at_once >= 0)
        return dir_at_once;
    const int root = spool_open_home(spool, name, flags & MQ_CREATE && !is_group);
    if (root < 0)
        return root;
    const int dir = open_in(root, spool_last_part(name), is_group ? 0 : flags);
    close(root);
    return dir;
}

int spool_queue_has_name(int queue_dir, const char *name, const struct fs_identity *identity)
{
    char path[NAME_PATH_SIZE];
    name_format_path_up(name, path);
    return fs_is_named(queue_dir, path, identity);
}
