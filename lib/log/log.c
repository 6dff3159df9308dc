/*
 * Logs on disk: SPOOL/NAME/ with log/ (the entries), begin/ (one name: the beginning), removed/ (what retention has taken
 * out), tmp/, the files hold and hint, and settings where something is not the default.
 */
#include "log/log.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fs_error.h"
#include "base/fs_list.h"
#include "base/grow.h"
#include "base/id.h"
#include "format/log_name.h"
#include "format/message.h"
#include "format/spool_name.h"
#include "log/bucket_lock.h"
#include "log/group.h"
#include "store/census.h"
#include "store/layout.h"
#include "store/spool.h"

#define LOOK_EVERY CLOCK_SECOND /* at the outbox */

/* ---- on disk --------------------------------------------------------------------------- */

int log_is_dir(int dir)
{
    const int has = fs_has(dir, LOG_BEGIN);
    return has == 1 ? fs_has(dir, LOG_ENTRIES) : has;
}

/* `dir` is what opening returned. */
static int check_dir(int dir)
{
    const int is = dir < 0 ? dir : log_is_dir(dir);
    if (is == 1)
        return dir;
    if (dir >= 0)
        close(dir);
    return is ? is : -ENOENT;
}

int log_open_in(int spool, const char *name)
{
    const int dir = fs_open_dir(spool, name);
    return dir == -ENOTDIR || dir == -ELOOP ? -ENOENT : check_dir(dir);
}

int log_is_there(int spool, const char *name)
{
    const int dir = log_open_in(spool, name);
    if (dir >= 0)
        close(dir);
    return dir >= 0 ? 1 : dir == -ENOENT ? 0 : dir;
}

int log_open_dir(const char *spool_path, const char *name)
{
    if (!mq_queue_name_is_valid(name))
        return -EINVAL;
    const int at_once = spool_open_at_once(spool_path, name);
    if (at_once >= 0)
        return check_dir(at_once);
    const int spool = spool_open(spool_path, false), dir = spool < 0 ? spool : log_open_in(spool, name);
    if (spool >= 0)
        close(spool);
    return dir;
}

static int make_dir(int dir, const char *name)
{
    const int error = fs_make_dir(dir, name);
    return error == -EEXIST ? 0 : error ? error : fs_give_to_owner_of(dir, name);
}

static int make_file(int dir, const char *name)
{
    const int file = fs_make_file(dir, name, FS_FILE_MODE);
    if (file < 0)
        return file == -EEXIST ? 0 : file;
    close(file);
    return fs_give_to_owner_of(dir, name);
}

int log_heal(int dir)
{
    const int error = make_dir(dir, "tmp");
    return error ? error : make_dir(dir, LOG_REMOVED);
}

int log_open_removed(int dir)
{
    const int removed = fs_open_dir(dir, LOG_REMOVED);
    return removed == -ENOENT && log_heal(dir) == 0 ? fs_open_dir(dir, LOG_REMOVED) : removed;
}

/* What a log lacks, but for its beginning and its entries: without these it is none. */
static int make_parts(int dir)
{
    const int error = log_heal(dir);
    return error ? error : make_file(dir, LOG_HOLD);
}

static int make_beginning(int dir)
{
    char name[LOG_NAME_SIZE];
    int error = make_dir(dir, LOG_ENTRIES);
    if (!error)
        error = make_dir(dir, LOG_BEGIN);
    const int begin = error ? error : fs_open_dir(dir, LOG_BEGIN);
    if (begin < 0)
        return begin;
    log_name_format(0, name);
    error = make_file(begin, name);
    if (!error)
        error = fs_sync(begin);
    close(begin);
    return error;
}

static int fill(int dir, const void *nothing)
{
    (void)nothing;
    int error = make_beginning(dir);
    if (!error)
        error = make_parts(dir);
    return error ? error : fs_sync(dir);
}

static int heal(const char *spool, const char *name)
{
    const int dir = log_open_dir(spool, name);
    if (dir < 0)
        return dir == -ENOENT ? -EEXIST : dir;
    const int error = make_parts(dir);
    close(dir);
    return error;
}

int mq_log_create(const char *spool_path, const char *name)
{
    if (!mq_queue_name_is_valid(name) || name_is_reply(name))
        return -EINVAL;
    const int spool = spool_open(spool_path, true);
    if (spool < 0)
        return spool;
    int error = spool_await_held(spool, name);
    error = error < 0 ? error : error == 1 ? -EEXIST : spool_make_whole(spool, name, fill, NULL);
    close(spool);
    if (error == -EEXIST)
        return heal(spool_path, name);
    const int dir = error ? error : log_open_dir(spool_path, name);
    if (dir < 0)
        return dir;
    error = spool_persist_queue(spool_path, name, dir);
    close(dir);
    return error ? error : 1;
}

struct search {
    int spool;
    struct {
        char (*list)[MQ_QUEUE_NAME_SIZE];
        size_t count, room;
    } names;
};

static int add_log(void *context, const char *name, unsigned char type)
{
    struct search *search = context;
    const int dir = type == DT_DIR && mq_queue_name_is_valid(name) ? log_open_in(search->spool, name) : -ENOENT;
    if (dir < 0)
        return dir == -ENOENT || dir == -EACCES ? 0 : dir;
    close(dir);
    if (!GROW(search->names.list, search->names.count + 1, search->names.room))
        return -ENOMEM;
    strcpy(search->names.list[search->names.count++], name);
    return 0;
}

static int compare_names(const void *one, const void *other)
{
    return strcmp(one, other);
}

int mq_log_list(const char *spool, int (*each)(const char *log, void *context), void *context)
{
    struct search search = {.spool = spool_open(spool, false)};
    if (search.spool < 0)
        return search.spool == -ENOENT ? 0 : search.spool;
    int stop = fs_list_at(search.spool, ".", add_log, &search);
    close(search.spool);
    if (search.names.count > 0)
        qsort(search.names.list, search.names.count, sizeof *search.names.list, compare_names);
    for (size_t i = 0; i < search.names.count && !stop; i++)
        stop = each(search.names.list[i], context);
    free(search.names.list);
    return stop;
}

/* ---- deleting ---------------------------------------------------------------------------- */

static int holds_message(void *context, const char *name, int group_dir)
{
    int error = 0;
    (void)context;
    (void)name;
    for (int state = 0; state < MQ_STATES && !error; state++) {
        int64_t count = 0;
        error = census_count(group_dir, (enum mq_state)state, 1, &count);
        error = error == -ENOENT ? 0 : error ? error : count > 0 ? -ENOTEMPTY : 0;
    }
    return error;
}

/* While all numbers are locked nobody appends: who comes later finds that the log has lost its name. */
static int check_empty(int dir, int *ret_lock)
{
    uint64_t begin, end;
    const int lock = fs_open_shared_below(dir, ".", LOG_HOLD, true);
    if (lock < 0)
        return lock == -ENOENT ? -EUCLEAN : lock;
    int error = bucket_lock_all(lock);
    if (!error)
        error = chain_beginning(dir, &begin);
    if (!error)
        error = chain_end(dir, &end);
    if (!error && end > begin)
        error = -ENOTEMPTY;
    if (!error)
        error = group_each(dir, holds_message, NULL);
    if (error)
        close(lock);
    else
        *ret_lock = lock;
    return error == -EAGAIN ? -EBUSY : error;
}

static int delete_in(int spool, const char *name, bool force)
{
    char gone[NAME_PENDING_SIZE];
    int lock = -1;
    const int dir = log_open_in(spool, name);
    int error = dir < 0 ? dir : force ? 0 : check_empty(dir, &lock);
    name_format_pending(NAME_GONE, name, id_random(), gone);
    if (!error)
        error = fs_rename(spool, name, spool, gone);
    if (!error)
        error = fs_sync(spool);
    if (!error)
        error = spool_remove_tree(spool, gone);
    if (lock >= 0)
        close(lock);
    if (dir >= 0)
        close(dir);
    return error;
}

int mq_log_delete(const char *spool_path, const char *name, bool force)
{
    const int spool = mq_queue_name_is_valid(name) ? spool_open(spool_path, false) : -EINVAL;
    if (spool < 0)
        return spool;
    const int error = delete_in(spool, name, force);
    close(spool);
    return error;
}

/* ---- the handle ---------------------------------------------------------------------------- */

int log_read_config(mq_log *log)
{
    const int error = log_config_load(log->dir, &log->config, NULL);
    log->config_read_at = clock_monotonic();
    return error;
}

static int fill_handle(mq_log *log)
{
    struct stat status;
    log->dir = log_open_dir(log->spool, log->name);
    if (log->dir < 0)
        return log->dir;
    if (fstat(log->dir, &status) < 0)
        return fs_error();
    log->owner = status.st_uid;
    log->group = status.st_gid;
    log->identity = (struct fs_identity){.device = status.st_dev, .number = status.st_ino};
    log->persisted = status.st_mode & S_ISUID;
    log->may_have_outputs = status.st_mode & S_ISVTX;
    log->entries = fs_open_dir(log->dir, LOG_ENTRIES);
    return log->entries < 0 ? log->entries : log_read_config(log);
}

int log_open(const char *spool, const char *name, mq_log **ret_log)
{
    if (!mq_queue_name_is_valid(name))
        return -EINVAL;
    mq_log *log = calloc(1, sizeof *log);
    if (!log)
        return -ENOMEM;
    strcpy(log->name, name);
    log->dir = log->entries = log->hint.file = log->hold.lock = log->hold.dir = -1;
    log->spool = spool ? strdup(spool) : NULL;
    const int error = spool && !log->spool ? -ENOMEM : fill_handle(log);
    if (error)
        mq_log_close(log);
    else
        *ret_log = log;
    return error;
}

void mq_log_close(mq_log *log)
{
    if (!log)
        return;
    log_release(log);
    mq_close(log->feed);
    const int files[] = {log->hold.lock, log->hint.file, log->entries, log->dir};
    for (size_t i = 0; i < sizeof files / sizeof *files; i++)
        if (files[i] >= 0)
            close(files[i]);
    free(log->runs);
    free(log->spool);
    free(log);
}

const char *mq_log_name(const mq_log *log)
{
    return log->name;
}

int log_has_name(const mq_log *log)
{
    return spool_queue_has_name(log->dir, log->name, &log->identity);
}

int log_explain(const mq_log *log, int error)
{
    const bool may_be_deleted = error == -EUCLEAN || error == -ENOENT || error == -EBUSY;
    return may_be_deleted && log_has_name(log) == 0 ? -ENOENT : error;
}

/* ---- the outbox ------------------------------------------------------------------------------ */

int log_mark_output(mq_log *log)
{
    struct stat status;
    if (log->may_have_outputs)
        return 0;
    int error = fstat(log->dir, &status) < 0 ? fs_error() : 0;
    if (!error && !(status.st_mode & S_ISVTX))
        error = fs_set_mode(log->dir, (status.st_mode & 07777) | S_ISVTX);
    log->may_have_outputs = !error;
    return error;
}

void log_look_at_outbox(mq_log *log)
{
    const int64_t now = clock_monotonic();
    if (!log->look || (log->looked_at && now - log->looked_at < LOOK_EVERY))
        return;
    struct stat status;
    if (!log->may_have_outputs && log->looked_at)
        log->may_have_outputs = fstat(log->dir, &status) == 0 && status.st_mode & S_ISVTX;
    log->looked_at = now;
    if (log->may_have_outputs)
        log->look(log);
}
