/* A queue: its handle, opening, creating and deleting it. */
#include "queue.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bucket.h"
#include "clock.h"
#include "cursor.h"
#include "fs.h"
#include "id.h"
#include "survey.h"
#include "wait.h"

#define CONFIG_EVERY CLOCK_SECOND
#define OPEN_TRIES 10
/* What a creator or deleter leaves when it dies may be removed when no live one can still be at it; as for tmp/ in
   expire.c. */
#define PENDING_AGE (36 * 3600)

static const char *const queue_dirs[] = {"tmp", "ready", "delayed", "inflight", "dead", "waiters", "host"};
#define QUEUE_DIRS (sizeof queue_dirs / sizeof *queue_dirs)

const char *mq_version(void)
{
    return MQ_VERSION;
}

/* ---- the spool ------------------------------------------------------------------ */

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

static int open_spool(const char *spool, bool make)
{
    char path[PATH_MAX];
    const int error = mq_spool_path(spool, path, sizeof path);
    return error ? error : fs_open_root(path, make);
}

static bool is_queue(int spool, const char *name)
{
    const int dir = mq_queue_name_is_valid(name) ? fs_open_dir(spool, name) : -ENOENT;
    if (dir < 0)
        return false;
    const bool is = fs_exists(dir, "ready");
    close(dir);
    return is;
}

struct search {
    int spool;
    char **names;
    size_t count;
};

static int add_queue(void *context, const char *name, unsigned char type)
{
    struct search *search = context;
    if (type != DT_DIR || !is_queue(search->spool, name))
        return 0;
    char **names = realloc(search->names, (search->count + 1) * sizeof *names);
    if (!names)
        return -ENOMEM;
    search->names = names;
    names[search->count] = strdup(name);
    return names[search->count++] ? 0 : -ENOMEM;
}

static int compare_strings(const void *one, const void *other)
{
    return strcmp(*(char *const *)one, *(char *const *)other);
}

int mq_list(const char *spool, int (*each)(const char *queue, void *context), void *context)
{
    struct search search = {.spool = open_spool(spool, false)};
    if (search.spool < 0)
        return search.spool == -ENOENT ? 0 : search.spool;
    int stop = fs_list_at(search.spool, ".", add_queue, &search);
    close(search.spool);
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

/* ---- directories with all that is in them ------------------------------------------ */

static int remove_tree(int at, const char *name);

static int remove_entry(void *context, const char *name, unsigned char type)
{
    const int dir = *(const int *)context;
    return type == DT_DIR ? remove_tree(dir, name) : fs_unlink(dir, name);
}

static int remove_contents(int at, const char *name)
{
    const int dir = fs_open_dir(at, name);
    if (dir < 0)
        return dir;
    int error;
    /* Entries may be passed over while others go: again, until a pass finds the directory empty. */
    do
        error = fs_list_at(dir, ".", remove_entry, &(int){dir});
    while (error == -ENOENT);
    close(dir);
    return error;
}

static int remove_tree(int at, const char *name)
{
    int error;
    do {
        error = remove_contents(at, name);
        if (!error)
            error = fs_remove_dir(at, name);
    } while (error == -ENOTEMPTY);
    return error == -ENOENT ? 0 : error;
}

/* ---- creating ------------------------------------------------------------------- */

static int make_dirs(int dir)
{
    int error = 0;
    for (size_t i = 0; i < QUEUE_DIRS && !error; i++)
        error = fs_make_dir(dir, queue_dirs[i]);
    if (!error)
        error = bucket_make_reserves(dir);
    return error ? error : fs_sync_dir(dir);
}

/* The queue is made whole under a name that is no queue's, then gets its name by one rename: of
   racing creators one wins, and a killed one leaves nothing that looks like a queue. */
static int create_in(int spool, const char *queue)
{
    char pending[NAME_PENDING_SIZE];
    name_format_pending(NAME_NEW, queue, id_random(), pending);
    int error = fs_make_dir(spool, pending);
    if (error < 0)
        return error;
    const int dir = fs_open_dir(spool, pending);
    error = dir < 0 ? dir : make_dirs(dir);
    if (!error)
        error = fs_rename(spool, pending, spool, queue);
    if (dir >= 0)
        close(dir);
    if (error)
        (void)remove_tree(spool, pending);
    return error == -ENOTEMPTY ? -EEXIST : error;
}

/* Make durable what leads to the queue: its name in the spool, and the spool's own. */
static int settle_in(int spool, int dir)
{
    const int parent = fs_open_dir(spool, "..");
    if (parent >= 0) {
        (void)fs_sync_dir(parent); /* a spool's parent that may not be read is the administrator's to sync */
        close(parent);
    }
    return fs_settle_dir(spool, dir);
}

int queue_settle(mq_queue *queue)
{
    if (queue->settled)
        return 0;
    int error = 0;
    if (!fs_is_settled(queue->dir)) {
        const int spool = open_spool(queue->spool, false);
        error = spool < 0 ? spool : settle_in(spool, queue->dir);
        if (spool >= 0)
            close(spool);
    }
    queue->settled = !error;
    return error;
}

static int create(int spool, const char *name)
{
    const int error = create_in(spool, name);
    const int dir = error ? -1 : fs_open_dir(spool, name);
    if (dir < 0)
        return error == -EEXIST ? 0 : error;
    const int settled = settle_in(spool, dir);
    close(dir);
    return settled ? settled : 1;
}

int mq_create(const char *spool, const char *queue)
{
    if (!mq_queue_name_is_valid(queue))
        return -EINVAL;
    const int root = open_spool(spool, true);
    if (root < 0)
        return root;
    const int created = is_queue(root, queue) ? 0 : create(root, queue);
    close(root);
    return created;
}

/* ---- the page ------------------------------------------------------------------- */

static void fill_page(struct page *page, const struct survey *survey)
{
    for (int state = 0; state < MQ_STATES; state++)
        page_add_messages(page, (enum mq_state)state, survey->count[state]);
    page_add_bytes(page, survey->bytes);
    for (int priority = 0; priority < NAME_PRIORITIES; priority++) {
        page_raise_position(page, priority, survey->positions[priority]);
        if (survey->heads[priority] != PAGE_NO_BUCKET)
            page_note_arrival(page, priority, survey->heads[priority], false);
    }
}

/* What the pages of other hosts count is theirs: ours holds the rest. */
static int subtract(void *context, const struct page *page)
{
    struct survey *survey = context;
    for (int state = 0; state < MQ_STATES; state++)
        survey->count[state] -= page_messages(page, (enum mq_state)state);
    survey->bytes -= page_bytes(page);
    return 0;
}

static int make_page(mq_queue *queue, struct page **ret_page)
{
    struct survey survey;
    struct page *page;
    int error = page_create(queue->dir, &page);
    if (error)
        return error;
    error = survey_queue(queue->dir, &survey);
    if (!error)
        error = queue_each_other_page(queue, subtract, &survey);
    if (!error)
        fill_page(page, &survey);
    const int installed = page_install(page, queue->dir, queue->host);
    if (!error && installed == 1) {
        *ret_page = page;
        return 1;
    }
    page_close(page);
    return error ? error : installed;
}

static int open_page(mq_queue *queue)
{
    struct page *page;
    page_close(queue->page);
    queue->page = NULL;
    for (int tries = 0; tries < 10; tries++) {
        int opened = page_open(queue->dir, queue->host, &page);
        if (opened == 0)
            opened = make_page(queue, &page);
        if (opened < 0)
            return opened;
        if (opened == 1) {
            queue->page = page;
            return 0;
        }
    }
    return -EBUSY;
}

struct page_walk {
    mq_queue *queue;
    int (*each)(void *context, const struct page *page);
    void *context;
};

static int visit_page(void *context, const char *name, unsigned char type)
{
    struct page_walk *walk = context;
    struct page *page;
    if (type != DT_REG || strcmp(name, walk->queue->host) == 0 || page_open_foreign(walk->queue->dir, name, &page) != 1)
        return 0;
    const int stop = walk->each(walk->context, page);
    page_close(page);
    return stop;
}

int queue_each_other_page(mq_queue *queue, int (*each)(void *context, const struct page *page), void *context)
{
    return fs_list_at(queue->dir, "host", visit_page, &(struct page_walk){queue, each, context});
}

/* ---- the handle ----------------------------------------------------------------- */

static int open_in(int spool, const char *name, unsigned flags)
{
    const int dir = fs_open_dir(spool, name);
    if (dir != -ENOENT || !(flags & MQ_CREATE))
        return dir;
    const int created = create(spool, name);
    return created < 0 ? created : fs_open_dir(spool, name);
}

static int open_queue_dir(const char *spool, const char *name, unsigned flags)
{
    const int root = open_spool(spool, flags & MQ_CREATE);
    if (root < 0)
        return root;
    const int dir = open_in(root, name, flags);
    close(root);
    return dir;
}

static mq_queue *new_handle(const char *spool, const char *name)
{
    mq_queue *queue = calloc(1, sizeof *queue);
    if (!queue)
        return NULL;
    queue->spool = spool ? strdup(spool) : NULL;
    if (spool && !queue->spool) {
        free(queue);
        return NULL;
    }
    (void)copy_text(queue->name, sizeof queue->name, name, "");
    queue->dir = -1;
    queue->fresh = true;
    for (int state = 0; state < MQ_STATES; state++)
        queue->target[state].dir = -1;
    return queue;
}

static int fill_handle(mq_queue *queue, unsigned flags)
{
    if (queue->dir >= 0)
        close(queue->dir);
    queue->dir = open_queue_dir(queue->spool, queue->name, flags);
    if (queue->dir < 0)
        return queue->dir;
    queue->config_read_at = clock_monotonic();
    const int error = config_load(queue->dir, &queue->config, NULL);
    if (error)
        return error == -ENOENT ? error : -EBADMSG;
    page_host_name(queue->host);
    return open_page(queue);
}

int mq_open(const char *spool, const char *name, unsigned flags, mq_queue **ret_queue)
{
    if (!mq_queue_name_is_valid(name))
        return -EINVAL;
    mq_queue *queue = new_handle(spool, name);
    if (!queue)
        return -ENOMEM;
    int error = fill_handle(queue, flags);
    /* It may be deleted while we open it; then we are to make it again. */
    for (int tries = 1; tries < OPEN_TRIES && error == -ENOENT && flags & MQ_CREATE; tries++)
        error = fill_handle(queue, flags);
    if (error)
        mq_close(queue);
    else
        *ret_queue = queue;
    return error;
}

void mq_close(mq_queue *queue)
{
    if (!queue)
        return;
    cursor_free(queue->cursor);
    waiter_free(queue->waiter);
    for (int state = 0; state < MQ_STATES; state++)
        queue_forget_target(queue, (enum mq_state)state);
    page_close(queue->page);
    if (queue->dir >= 0)
        close(queue->dir);
    free(queue->spool);
    free(queue);
}

const char *mq_queue_name(const mq_queue *queue)
{
    return queue->name;
}

bool mq_queue_is_polling(const mq_queue *queue)
{
    return queue->polling;
}

int queue_refresh(mq_queue *queue)
{
    if (queue->fresh) {
        queue->fresh = false;
        return 0;
    }
    if (clock_monotonic() - queue->config_read_at >= CONFIG_EVERY) {
        queue->config_read_at = clock_monotonic();
        const int error = config_load(queue->dir, &queue->config, NULL);
        if (error)
            return error;
    }
    return page_is_current(queue->page) ? 0 : open_page(queue);
}

int queue_target(mq_queue *queue, enum mq_state state, const char *bucket, int *ret_dir)
{
    if (queue->target[state].dir < 0 || strcmp(queue->target[state].name, bucket) != 0) {
        queue_forget_target(queue, state);
        const int dir = bucket_make(queue->dir, state, bucket);
        if (dir < 0)
            return dir;
        queue->target[state].dir = dir;
        (void)copy_text(queue->target[state].name, sizeof queue->target[state].name, bucket, "");
    }
    *ret_dir = queue->target[state].dir;
    return 0;
}

void queue_forget_target(mq_queue *queue, enum mq_state state)
{
    if (queue->target[state].dir >= 0)
        close(queue->target[state].dir);
    queue->target[state].dir = -1;
}

/* ---- configuration -------------------------------------------------------------- */

int mq_config_get(mq_queue *queue, const char *key, char *ret_value, size_t size)
{
    char value[CONFIG_VALUE_SIZE];
    if (!config_get(&queue->config, key, value))
        return -EINVAL;
    return copy_text(ret_value, size, value, "");
}

int mq_config_set(const char *spool, const char *queue, const char *key, const char *value)
{
    if (!mq_queue_name_is_valid(queue))
        return -EINVAL;
    const int dir = open_queue_dir(spool, queue, 0), tmp = dir < 0 ? dir : fs_open_dir(dir, "tmp");
    const int error = tmp < 0 ? tmp : config_store(dir, tmp, key, value);
    if (tmp >= 0)
        close(tmp);
    if (dir >= 0)
        close(dir);
    return error;
}

int mq_config_explain(const char *spool, const char *queue, char *ret_text, size_t size)
{
    struct config config;
    char problem[CONFIG_PROBLEM_SIZE] = "";
    if (!mq_queue_name_is_valid(queue))
        return -EINVAL;
    const int dir = open_queue_dir(spool, queue, 0);
    if (dir < 0)
        return dir;
    const int error = config_load(dir, &config, problem);
    close(dir);
    if (error == 0)
        return 0;
    const int copied = copy_text(ret_text, size, problem[0] ? problem : strerror(-error), "");
    return copied ? copied : 1;
}

/* ---- deleting ------------------------------------------------------------------- */

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
    int from, to; /* buckets */
};

static int transfer_message(void *context, const char *name, unsigned char type)
{
    const struct transfer *transfer = context;
    return type == DT_REG ? fs_rename(transfer->from, name, transfer->to, name) : 0;
}

static int transfer_bucket(void *context, const char *bucket, unsigned char type)
{
    struct transfer *transfer = context;
    if (type != DT_DIR || !name_is_bucket(transfer->state, bucket))
        return 0;
    transfer->from = bucket_open(transfer->from_queue, transfer->state, bucket);
    transfer->to = transfer->from < 0 ? transfer->from : bucket_make(transfer->to_queue, transfer->state, bucket);
    const int error = transfer->to < 0 ? transfer->to : fs_list_at(transfer->from, ".", transfer_message, transfer);
    if (transfer->from >= 0)
        close(transfer->from);
    if (transfer->to >= 0)
        close(transfer->to);
    return error;
}

static int transfer_all(int from_queue, int to_queue)
{
    int error = 0;
    for (int state = MQ_READY; state < MQ_STATES && !error; state++) {
        struct transfer transfer = {.state = (enum mq_state)state, .from_queue = from_queue, .to_queue = to_queue};
        error = fs_list_at(from_queue, name_of_state(transfer.state), transfer_bucket, &transfer);
        if (error == -ENOENT) /* removed already, being empty */
            error = 0;
    }
    return error;
}

/* Give a held queue its name again; where a new queue has that name by now, the messages go there. */
static int put_back(int spool, const char *held, const char *queue)
{
    const int dir = fs_open_dir(spool, held);
    if (dir < 0)
        return dir;
    for (size_t i = 0; i < QUEUE_DIRS; i++)
        (void)fs_make_dir(dir, queue_dirs[i]); /* those that are there are meant to be */
    int error = fs_rename(spool, held, spool, queue);
    if (error == -EEXIST || error == -ENOTEMPTY) {
        const int other = fs_open_dir(spool, queue);
        error = other < 0 ? other : transfer_all(dir, other);
        if (other >= 0)
            close(other);
        if (!error)
            error = remove_tree(spool, held);
    }
    close(dir);
    return error;
}

static int delete_forced(int spool, const char *queue)
{
    char gone[NAME_PENDING_SIZE];
    name_format_pending(NAME_GONE, queue, id_random(), gone);
    int error = fs_rename(spool, queue, spool, gone);
    if (!error)
        error = fs_sync_dir(spool);
    return error ? error : remove_tree(spool, gone);
}

/* Out of sight first, so that whoever sends from now on makes a new queue; then looked at. */
static int delete_empty(int spool, const char *queue)
{
    char held[NAME_PENDING_SIZE];
    name_format_pending(NAME_HELD, queue, id_random(), held);
    int error = fs_rename(spool, queue, spool, held);
    if (error)
        return error;
    const int dir = fs_open_dir(spool, held);
    error = dir < 0 ? dir : remove_states(dir);
    if (dir >= 0)
        close(dir);
    if (error) {
        const int put = put_back(spool, held, queue);
        return put ? put : error;
    }
    error = remove_tree(spool, held);
    return error ? error : fs_sync_dir(spool);
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
    if (!is_queue(spool, queue))
        return -ENOENT;
    if (force)
        return delete_forced(spool, queue);
    return holds_messages(spool, queue) ? -ENOTEMPTY : delete_empty(spool, queue);
}

int mq_delete(const char *spool, const char *queue, bool force)
{
    if (!mq_queue_name_is_valid(queue))
        return -EINVAL;
    const int root = open_spool(spool, false);
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
    if (type != DT_DIR || !name_parse_pending(name, &kind, queue) ||
        fstatat(walk->spool, name, &status, AT_SYMLINK_NOFOLLOW) < 0)
        return 0;
    /* ctime: when it got this name, or was last filled. */
    if (walk->now / CLOCK_SECOND - status.st_ctim.tv_sec < PENDING_AGE)
        return 0;
    const bool keep = kind == NAME_HELD && holds_messages(walk->spool, name);
    if ((keep ? put_back(walk->spool, name, queue) : remove_tree(walk->spool, name)) == 0)
        walk->removed++;
    return 0;
}

int mq_sweep_spool(const char *spool)
{
    struct pending_walk walk = {.spool = open_spool(spool, false), .now = clock_now()};
    if (walk.spool < 0)
        return walk.spool == -ENOENT ? 0 : walk.spool;
    const int error = fs_list_at(walk.spool, ".", sweep_pending, &walk);
    close(walk.spool);
    return error ? error : walk.removed;
}
