/*
 * Retention: buckets of which no entry is to be kept any more are removed, from the beginning on.
 *
 *     beginning   renamed forward, to the first entry of the first bucket that stays: a compare-and-swap
 *     out         each bucket below it is renamed out of the log
 *     empty       later, under the write lock on its number, which is not waited for
 *
 * The last bucket with entries always stays, so a number is never given again. A crash leaves buckets below the beginning,
 * or in removed/, to the next process that trims. tests/model/log.pml is the proof.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fs.h"
#include "base/fs_hosts.h"
#include "base/fs_list.h"
#include "base/id.h"
#include "base/journal.h"
#include "format/log_name.h"
#include "format/work_name.h"
#include "log/bucket_lock.h"
#include "log/bucket_size.h"
#include "log/group.h"
#include "log/log.h"
#include "store/layout.h"

#define NUMBERS_AT_ONCE 1024

/* ---- removing -------------------------------------------------------------------------- */

struct clearing {
    int dir, lock; /* of the log, and its locks */
    size_t left;   /* how many buckets may still be removed */
    int error;
};

/* A bucket that is locked stays: whoever links into it has not noticed yet that it is out of the log. */
static int empty(struct clearing *clearing, const char *name, uint64_t bucket)
{
    const int parent = fs_open_dir(clearing->dir, LOG_REMOVED);
    int error = parent < 0 ? parent : bucket_lock(clearing->lock, bucket, F_WRLCK);
    if (!error) {
        error = spool_remove_tree(parent, name);
        (void)bucket_lock(clearing->lock, bucket, F_UNLCK);
    }
    if (parent >= 0)
        close(parent);
    return error == -EAGAIN ? 0 : error;
}

static int visit_removed(void *context, const char *name, unsigned char type)
{
    struct clearing *clearing = context;
    uint64_t bucket;
    if (type != DT_DIR || clearing->left == 0 || !log_name_parse_removed(name, &bucket))
        return 0;
    clearing->left--;
    const int error = empty(clearing, name, bucket);
    if (error && !clearing->error)
        clearing->error = error;
    return 0;
}

static int take_out(int dir, uint64_t bucket)
{
    char name[LOG_NAME_SIZE], removed[LOG_NAME_SIZE];
    const int entries = fs_open_dir(dir, LOG_ENTRIES), out = log_open_removed(dir);
    log_name_format_bucket(bucket, name);
    log_name_format_removed(bucket, id_random(), removed);
    int error = entries < 0 ? entries : out < 0 ? out : fs_rename_unique(entries, name, out, removed);
    if (entries >= 0)
        close(entries);
    if (out >= 0)
        close(out);
    return error == -ENOENT ? 0 : error;
}

static int take_out_noted(int dir, uint64_t bucket, uint64_t *removed)
{
    const int error = take_out(dir, bucket);
    bucket_size_forget(dir, bucket);
    *removed += !error;
    return error;
}

/* Buckets below the beginning, which may be left from a process that died. */
static int take_out_below(int dir, uint64_t begin, uint64_t *removed)
{
    struct chain_list buckets = {0};
    int error = chain_list_buckets(dir, &buckets);
    for (size_t i = 0; i < buckets.count && !error && buckets.list[i] < log_bucket_of(begin); i++)
        error = take_out_noted(dir, buckets.list[i], removed);
    chain_list_free(&buckets);
    return error;
}

/* The beginning was raised. */
struct moved {
    uint64_t from, to;
};

/* What lies between, which has few numbers unless many were lost. */
static int take_out_between(int dir, const struct moved *moved, uint64_t *removed)
{
    const uint64_t from = log_bucket_of(moved->from), to = log_bucket_of(moved->to);
    int error = 0;
    if (to - from > NUMBERS_AT_ONCE)
        return take_out_below(dir, moved->to, removed);
    for (uint64_t bucket = from; bucket < to && !error; bucket++)
        error = take_out_noted(dir, bucket, removed);
    return error;
}

int log_clear_removed(int dir, size_t most)
{
    struct clearing clearing = {.dir = dir, .left = most, .lock = fs_open_shared_below(dir, ".", LOG_HOLD, true)};
    if (clearing.lock < 0)
        return clearing.lock == -ENOENT ? -EUCLEAN : clearing.lock;
    const int error = fs_list_at(dir, LOG_REMOVED, visit_removed, &clearing);
    close(clearing.lock);
    return error && error != -ENOENT ? error : clearing.error; /* a cleaner may have removed it while it was empty */
}

/* ---- what may go ------------------------------------------------------------------------- */

/* A bucket with entries. */
struct full {
    uint64_t bucket;
    struct chain_list entries;
};

/* The bucket that is looked at, and the one behind it. */
struct live {
    int dir;
    const struct log_config *config;
    int64_t now; /* 0: not asked for yet */
    uint64_t end;
    struct full *at, *behind;
    struct full both[2];
    bool knows_unread;
    uint64_t unread; /* the first offset that a group has not passed */
};

/* What a group has not passed stays, if the log keeps what is unread. A group that is moved back while this runs finds
   itself overtaken. Groups are asked only for what would go. */
static int is_unread(struct live *live, uint64_t next)
{
    struct group_bounds bounds = {.lowest = UINT64_MAX};
    if (!live->config->keep_unread)
        return 0;
    const int any = live->knows_unread ? 0 : group_find_bounds(live->dir, false, &bounds);
    if (any < 0)
        return any;
    if (!live->knows_unread)
        live->unread = any == 1 ? bounds.lowest : UINT64_MAX;
    live->knows_unread = true;
    return next > live->unread;
}

enum verdict { STAYS, GOES, IS_OPEN };

/* As a bucket that is being made, so that a sweep removes what a crash leaves. */
static int find_time(struct live *live)
{
    char name[NAME_NEW_BUCKET_SIZE];
    const int tmp = fs_open_dir(live->dir, "tmp");
    name_format_new_bucket(id_random(), name);
    const int error = tmp < 0 ? tmp : fs_find_time(tmp, &(unsigned long){0}, name, &live->now);
    if (tmp >= 0)
        close(tmp);
    return error == -ENOENT ? log_heal(live->dir) : error; /* a cleaner was here: for now all is taken for young */
}

/* A bucket of the future, as the clock once had it, goes when one behind it does. */
static int judge_time(struct live *live)
{
    int64_t moment;
    const struct chain_list *entries = &live->at->entries;
    const int64_t most = live->config->retain_time;
    int error = most ? chain_read_moment(live->dir, entries->list[entries->count - 1], &moment) : 0;
    if (!error && most && live->now == 0)
        error = find_time(live);
    if (error || !most)
        return error ? error : STAYS;
    return moment > live->now ? IS_OPEN : live->now - moment > most ? GOES : STAYS;
}

/* Whether the bucket, behind which the entry `next` comes, is beyond what is kept. */
static int judge(struct live *live, uint64_t next)
{
    const struct log_config *config = live->config;
    uint64_t kept = 0;
    if (config->retain_count && live->end - next >= config->retain_count)
        return GOES;
    const int error = config->retain_size
                          ? bucket_size_sum(live->dir, live->behind->bucket, log_bucket_of(live->end), &kept)
                          : 0;
    if (error)
        return error;
    return config->retain_size && kept >= config->retain_size ? GOES : judge_time(live);
}

/* The first bucket with entries of this number or a greater one: 1; 0: there is none. Usually it has the number. */
static int find_full(int dir, uint64_t from, struct full *ret_full)
{
    struct chain_list buckets = {0};
    int error = chain_list_entries(dir, from, &ret_full->entries);
    ret_full->bucket = from;
    if (!error && ret_full->entries.count > 0)
        return 1;
    if (!error || error == -ENOENT)
        error = chain_list_buckets(dir, &buckets);
    bool found = false;
    for (size_t i = 0; i < buckets.count && !error && !found; i++) {
        if (buckets.list[i] <= from)
            continue;
        error = chain_list_entries(dir, buckets.list[i], &ret_full->entries);
        ret_full->bucket = buckets.list[i];
        found = !error && ret_full->entries.count > 0;
        error = error == -ENOENT ? 0 : error;
    }
    chain_list_free(&buckets);
    return error ? error : found;
}

/* From the oldest bucket on, as far as buckets go, and not more of them than `most`: the beginning is the first entry of the
   first that stays, and the last is never looked at. */
static int find_beginning(struct live *live, uint64_t begin, size_t most, uint64_t *ret_begin)
{
    *ret_begin = begin;
    int found = find_full(live->dir, log_bucket_of(begin), live->at);
    for (size_t passed = 0; found == 1 && passed < most; passed++) {
        found = find_full(live->dir, live->at->bucket + 1, live->behind);
        if (found != 1)
            break;
        const uint64_t next = live->behind->entries.list[0];
        int verdict = judge(live, next);
        const int unread = verdict == GOES ? is_unread(live, next) : 0;
        verdict = unread < 0 ? unread : unread ? STAYS : verdict;
        if (verdict == GOES)
            *ret_begin = next;
        if (verdict < 0 || verdict == STAYS)
            return verdict < 0 ? verdict : 0;
        struct full *const passed_by = live->at;
        live->at = live->behind;
        live->behind = passed_by;
    }
    return found < 0 ? found : 0;
}

static int raise_beginning(int dir, uint64_t from, uint64_t to)
{
    char old[LOG_NAME_SIZE], new[LOG_NAME_SIZE];
    const int begin = fs_open_dir(dir, LOG_BEGIN);
    log_name_format(from, old);
    log_name_format(to, new);
    int error = begin < 0 ? begin : fs_rename(begin, old, begin, new);
    if (!error && !journal_keeps_order(begin))
        error = fs_sync_around(begin); /* before anything below it goes */
    if (begin >= 0)
        close(begin);
    return error == -ENOENT || error == -EEXIST ? 0 : error; /* another process trims */
}

/* `limit` is the end of the log, or was it not long ago. */
static int move_beginning(int dir, const struct log_config *config, uint64_t limit, size_t most,
                          struct moved *ret_moved)
{
    struct live live = {.dir = dir, .config = config, .end = limit};
    live.at = &live.both[0];
    live.behind = &live.both[1];
    uint64_t to = 0;
    int error = chain_beginning(dir, &ret_moved->from);
    if (!error && limit > ret_moved->from)
        error = find_beginning(&live, ret_moved->from, most, &to);
    ret_moved->to = ret_moved->from;
    if (!error && to > ret_moved->from && to <= limit) {
        error = raise_beginning(dir, ret_moved->from, to);
        if (!error)
            error = chain_beginning(dir, &ret_moved->to);
    }
    for (size_t i = 0; i < 2; i++)
        chain_list_free(&live.both[i].entries);
    return error;
}

int log_trim(int dir, const struct log_config *config, uint64_t limit, size_t most, uint64_t *ret_removed)
{
    struct moved moved;
    *ret_removed = 0;
    const int error = move_beginning(dir, config, limit, most, &moved);
    if (error)
        return error;
    return most == LOG_ALL ? take_out_below(dir, moved.to, ret_removed) : take_out_between(dir, &moved, ret_removed);
}
