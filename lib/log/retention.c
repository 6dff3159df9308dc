/*
 * Retention: buckets of which no entry is to be kept any more are removed, from the beginning on.
 *
 *     beginning   renamed forward, to the first entry of the first bucket that stays: a compare-and-swap
 *     out         each bucket below it is renamed out of the log
 *     empty       under the write lock on its number, which is not waited for
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
#include "base/fs_list.h"
#include "base/id.h"
#include "base/journal.h"
#include "format/log_name.h"
#include "log/bucket_lock.h"
#include "log/bucket_size.h"
#include "log/group.h"
#include "log/log.h"
#include "store/layout.h"

/* ---- removing -------------------------------------------------------------------------- */

struct clearing {
    int dir, lock; /* of the log, and its locks: -1 at first */
    size_t left;   /* how many buckets may still be removed */
    uint64_t removed;
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
    const int entries = fs_open_dir(dir, LOG_ENTRIES), out = fs_open_dir(dir, LOG_REMOVED);
    log_name_format_bucket(bucket, name);
    log_name_format_removed(bucket, id_random(), removed);
    int error = entries < 0 ? entries : out < 0 ? out : fs_rename_unique(entries, name, out, removed);
    if (entries >= 0)
        close(entries);
    if (out >= 0)
        close(out);
    return error == -ENOENT ? 0 : error;
}

/* Buckets below the beginning, which may be left from a process that died. */
static int take_out_below(struct clearing *clearing, uint64_t begin)
{
    struct chain_list buckets = {0};
    int error = chain_list_buckets(clearing->dir, &buckets);
    for (size_t i = 0; i < buckets.count && !error && clearing->left > clearing->removed; i++) {
        if (buckets.list[i] >= log_bucket_of(begin))
            break;
        error = take_out(clearing->dir, buckets.list[i]);
        bucket_size_forget(clearing->dir, buckets.list[i]);
        clearing->removed += !error;
    }
    chain_list_free(&buckets);
    return error;
}

static int clear(struct clearing *clearing)
{
    clearing->lock = fs_open_shared_below(clearing->dir, ".", LOG_HOLD, true);
    if (clearing->lock < 0)
        return clearing->lock == -ENOENT ? -EUCLEAN : clearing->lock;
    const int error = fs_list_at(clearing->dir, LOG_REMOVED, visit_removed, clearing);
    close(clearing->lock);
    return error ? error : clearing->error;
}

/* ---- what may go ------------------------------------------------------------------------- */

/* Buckets with entries, from the first that is in the log to the last. */
struct live {
    int dir;
    const struct log_config *config;
    int64_t now;
    struct chain_list buckets, entries;
    uint64_t kept_bytes; /* of the buckets that come after the one that is looked at */
    uint64_t end;
    uint64_t unread; /* the first offset that a group has not passed */
};

/* Whether a bucket, whose entries are listed, and behind which the entry `next` comes, may go: 1 or 0. */
static int may_go(struct live *live, uint64_t next)
{
    int64_t moment = 0;
    const struct log_config *config = live->config;
    if (next > live->unread)
        return 0;
    if (config->retain_count && live->end - next >= config->retain_count)
        return 1;
    if (config->retain_size && live->kept_bytes >= config->retain_size)
        return 1;
    const uint64_t newest = live->entries.list[live->entries.count - 1];
    const int error = config->retain_time ? chain_read_moment(live->dir, newest, &moment) : 0;
    return error ? error : config->retain_time && live->now - moment > config->retain_time;
}

/* From the newest bucket back, as far as buckets stay: the beginning is the first entry of the last that does. */
static int find_beginning(struct live *live, uint64_t begin, uint64_t *ret_begin)
{
    uint64_t next = 0;
    for (size_t i = live->buckets.count; i-- > 0 && live->buckets.list[i] >= log_bucket_of(begin);) {
        int error = chain_list_entries(live->dir, live->buckets.list[i], &live->entries);
        if (error == -ENOENT || (!error && live->entries.count == 0))
            continue;
        if (error)
            return error;
        const int goes = next ? may_go(live, next) : 0;
        if (goes == 1)
            *ret_begin = next;
        if (goes)
            return goes < 0 ? goes : 0;
        uint64_t bytes = 0;
        error = live->config->retain_size ? bucket_size(live->dir, live->buckets.list[i], next != 0, &bytes) : 0;
        if (error && error != -ENOENT)
            return error;
        live->kept_bytes += bytes;
        next = live->entries.list[0];
    }
    *ret_begin = begin;
    return 0;
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

/* What a group has not passed stays, if the log keeps what is unread. A group that is moved back while this runs finds
   itself overtaken. */
static int find_unread(int dir, const struct log_config *config, uint64_t *ret_unread)
{
    struct group_bounds bounds = {.lowest = UINT64_MAX};
    const int any = config->keep_unread ? group_find_bounds(dir, false, &bounds) : 0;
    *ret_unread = any == 1 ? bounds.lowest : UINT64_MAX;
    return any < 0 ? any : 0;
}

/* Each bucket is looked at from the end; `most` limits how many go at once, not what the beginning becomes. */
static int move_beginning(int dir, const struct log_config *config, uint64_t limit, uint64_t *ret_begin)
{
    struct live live = {.dir = dir, .config = config, .now = clock_now()};
    uint64_t begin, to = 0;
    int error = chain_beginning(dir, &begin);
    if (!error)
        error = chain_end(dir, &live.end);
    if (!error)
        error = find_unread(dir, config, &live.unread);
    if (!error)
        error = chain_list_buckets(dir, &live.buckets);
    if (!error)
        error = find_beginning(&live, begin, &to);
    if (!error && to > begin && to <= limit)
        error = raise_beginning(dir, begin, to);
    chain_list_free(&live.buckets);
    chain_list_free(&live.entries);
    return error ? error : chain_beginning(dir, ret_begin);
}

int log_trim(int dir, const struct log_config *config, uint64_t limit, size_t most, uint64_t *ret_removed)
{
    uint64_t begin;
    struct clearing clearing = {.dir = dir, .lock = -1, .left = most};
    int error = move_beginning(dir, config, limit, &begin);
    if (!error)
        error = take_out_below(&clearing, begin);
    if (!error)
        error = clear(&clearing);
    *ret_removed = clearing.removed;
    return error;
}
