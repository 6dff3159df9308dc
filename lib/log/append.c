/*
 * Appending, by any number of processes of which none waits for another:
 *
 *     last       the entry to append behind: the one that this handle saw last, or that the hint tells, or by listing
 *     hold       the number of the new entry's bucket is locked for reading; then the bucket is opened, or made
 *     before     the entry before is in that very directory
 *     floor      if that is in another bucket, the beginning is not behind this one: else it was removed, and made again too late
 *     link       the draft gets the offset as its name: from here on readers see it
 *
 * The link decides. If the name is taken another process was first, and the next try is behind its entry. Linked is
 * appended: nothing has to be looked at afterwards, but whether the log was deleted. tests/model/log.pml is the proof.
 *
 * A number is only tried when the entry before it is there, so readers never meet a gap that is filled later. The hint is
 * never the truth: it leads to an entry, which is read; if it leads astray, the end is found by listing.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/auxv.h>
#include <unistd.h>

#include "base/fs_draft.h"
#include "base/grow.h"
#include "base/io.h"
#include "format/log_name.h"
#include "log/append.h"
#include "log/bucket_lock.h"
#include "log/bucket_size.h"
#include "log/group.h"
#include "log/hint.h"
#include "log/log.h"
#include "queue/aside.h"
#include "store/access.h"
#include "store/spool.h"

/* So many names in a row that others have taken: then the end is looked for by listing. And how often that is done. */
#define STEPS 16
#define RIVALS 64 /* appends for which it is taken that others append too, once they did */
#define TRIES 1000

/* A cursor that is further beyond the end did not come there by a power cut. To go on there would use up the offsets. */
#define LOST_MOST (UINT64_C(1) << 32)

/* ---- holding a bucket ------------------------------------------------------------------ */

static int open_lock(mq_log *log)
{
    if (log->hold.lock < 0)
        log->hold.lock = fs_open_shared_below(log->dir, ".", LOG_HOLD, true);
    return log->hold.lock >= 0 ? 0 : log->hold.lock == -ENOENT ? -EUCLEAN : log->hold.lock;
}

void log_release(mq_log *log)
{
    struct log_hold *hold = &log->hold;
    if (hold->dir >= 0) {
        close(hold->dir);
        (void)bucket_lock(hold->lock, hold->bucket, F_UNLCK);
    }
    hold->dir = -1;
    hold->knows = hold->is_above = false;
}

static int open_bucket(mq_log *log, uint64_t bucket, bool make, int *ret_dir)
{
    char name[LOG_NAME_SIZE];
    log_name_format_bucket(bucket, name);
    int dir = fs_open_dir(log->entries, name);
    for (int tries = 0; tries < TRIES && dir == -ENOENT && make; tries++) {
        const int error = access_make_dir(log->dir, ACCESS_PRIVATE, log->entries, name);
        if (error && error != -EEXIST)
            return error;
        log->began_bucket |= !error;
        dir = fs_open_dir(log->entries, name);
    }
    if (dir < 0)
        return dir == -ENOTDIR || dir == -ELOOP ? -EUCLEAN : dir;
    *ret_dir = dir;
    return 0;
}

/* 1: it is held. 0: it is not to be had, since it was removed or is being emptied: look for the end again. */
static int hold(mq_log *log, uint64_t bucket, bool make)
{
    int dir;
    if (log->hold.dir >= 0 && log->hold.bucket == bucket)
        return 1;
    int error = log_sync(log);
    log_release(log);
    if (!error)
        error = open_lock(log);
    if (!error)
        error = bucket_lock(log->hold.lock, bucket, F_RDLCK);
    if (error)
        return error == -EAGAIN ? 0 : error;
    error = open_bucket(log, bucket, make, &dir);
    if (error) {
        (void)bucket_lock(log->hold.lock, bucket, F_UNLCK);
        return error == -ENOENT && !make ? 0 : error;
    }
    log->hold.dir = dir;
    log->hold.bucket = bucket;
    return 1;
}

/* The beginning is not behind the held bucket: else that was removed, and made again too late. As hold. */
static int look_at_beginning(mq_log *log)
{
    uint64_t begin;
    if (log->hold.is_above)
        return 1;
    const int error = chain_beginning(log->dir, &begin);
    log->hold.is_above = !error && log_bucket_of(begin) <= log->hold.bucket;
    if (!log->hold.is_above)
        log_release(log);
    return error ? error : log->hold.is_above;
}

static int hold_above_beginning(mq_log *log, uint64_t bucket)
{
    const int held = hold(log, bucket, true);
    return held == 1 ? look_at_beginning(log) : held;
}

/* ---- the entry to append behind ---------------------------------------------------------- */

/* Look for an entry in the held bucket. 1: it is there, and known. */
static int recognise(mq_log *log, uint64_t offset)
{
    struct log_entry_head head;
    if (log->hold.knows && log->hold.last.offset == offset)
        return 1;
    const int error = chain_read_head(log->hold.dir, offset, &head);
    if (error)
        return error == -ENOENT ? 0 : error;
    if (head.kind == LOG_ENTRY_CORRUPT)
        return 0; /* how far it reaches only a listing tells */
    log->hold.knows = true;
    log->hold.last = (struct chain_last){offset, head.count};
    return 1;
}

/* While others append too: an entry behind the offset, where the hint is by now. 1: it is known. Each name that is
   tried in vain keeps the others from theirs. */
static int catch_up(mq_log *log, uint64_t offset)
{
    uint64_t hinted;
    const bool is_ahead = hint_read(&log->hint, log->dir, &hinted) && hinted > offset &&
                          log_bucket_of(hinted) == log->hold.bucket;
    return is_ahead ? recognise(log, hinted) : 0;
}

static int follow_hint(mq_log *log, struct chain_last *ret_last)
{
    uint64_t offset;
    if (!hint_read(&log->hint, log->dir, &offset))
        return 0;
    const int held = hold(log, log_bucket_of(offset), false), known = held == 1 ? recognise(log, offset) : held;
    if (known == 1)
        *ret_last = log->hold.last;
    return known;
}

static int plug(mq_log *log, struct chain_last *last);

/* 1: found; 0: the log has no entries, and its beginning is in `ret_last`. */
int log_find_last(mq_log *log, bool by_listing, struct chain_last *ret_last)
{
    if (!by_listing && log->hold.knows) {
        const int caught_up = log->rivals > 0 ? catch_up(log, log->hold.last.offset) : 0;
        if (caught_up < 0)
            return caught_up;
        log->rivals -= log->rivals > 0;
        *ret_last = log->hold.last;
        return 1;
    }
    const int hinted = by_listing ? 0 : follow_hint(log, ret_last);
    if (hinted)
        return hinted;
    const int found = chain_find_last(log->dir, ret_last);
    if (found < 0)
        return found;
    ret_last->count = found ? ret_last->count : 0;
    const int error = found ? 0 : chain_beginning(log->dir, &ret_last->offset);
    return error ? error : plug(log, ret_last);
}

/* Whether the entry to append behind is in the held bucket. Its count may be of another file of that name by now. A bucket
   that was made again has no entries: where there is one, the beginning need not be looked at. */
static int is_in_hold(mq_log *log, const struct chain_last *last)
{
    char name[LOG_NAME_SIZE];
    const int known = recognise(log, last->offset);
    if (known != 0)
        return known < 0 ? known : log->hold.last.count == last->count;
    log_name_format(last->offset, name);
    return last->count == 1 ? fs_has(log->hold.dir, name) : 0;
}

/* ---- linking -------------------------------------------------------------------------------- */

int log_link_at(mq_log *log, const struct log_source *source, const struct chain_last *last, uint64_t offset,
                enum log_linked *ret_linked)
{
    char name[LOG_NAME_SIZE];
    const bool is_beside = last->count > 0 && log_bucket_of(last->offset) == log_bucket_of(offset);
    *ret_linked = LOG_AGAIN;
    const int held = hold(log, log_bucket_of(offset), true);
    if (held != 1)
        return held;
    const int is = is_beside ? is_in_hold(log, last) : look_at_beginning(log);
    if (is != 1)
        return is;
    log_name_format(offset, name);
    const int error = source->give_name(source, log->hold.dir, name);
    if (error == -EEXIST)
        *ret_linked = LOG_TAKEN;
    else if (error == -ENOENT)
        log_release(log);
    else if (!error)
        *ret_linked = LOG_LINKED;
    return error == -EEXIST || error == -ENOENT ? 0 : error;
}

/* Another process has the offset. Go on behind its entry, or behind one that came later. */
static int pass(mq_log *log, uint64_t offset, struct chain_last *ret_last)
{
    log->rivals = RIVALS;
    int known = catch_up(log, offset);
    if (known == 0)
        known = recognise(log, offset);
    if (known == 1)
        *ret_last = log->hold.last;
    else
        log->hold.knows = false;
    return known;
}

static int link_behind_last(mq_log *log, const struct log_source *source, uint64_t *ret_offset)
{
    struct chain_last last = {0};
    bool by_listing = false, have = false;
    for (int tries = 0, steps = 0; tries < TRIES; tries++) {
        enum log_linked linked;
        int error = have ? 0 : log_find_last(log, by_listing, &last);
        if (error < 0)
            return error;
        const uint64_t offset = last.offset + last.count;
        if (offset > LOG_OFFSET_MAX - NAME_COUNT_MAX)
            return -ERANGE;
        error = log_link_at(log, source, &last, offset, &linked);
        if (error)
            return error;
        if (linked == LOG_LINKED) {
            *ret_offset = offset;
            return 0;
        }
        error = linked == LOG_TAKEN && ++steps % STEPS != 0 ? pass(log, offset, &last) : 0;
        if (error < 0)
            return error;
        have = error == 1;
        by_listing = !have;
    }
    return -EBUSY;
}

/* ---- durability -------------------------------------------------------------------------------- */

/* The name of a bucket, and all names in the one before it: the process that filled that may have died before it synced. */
static int sync_bucket(const mq_log *log, uint64_t bucket)
{
    char name[LOG_NAME_SIZE];
    log_name_format_bucket(bucket, name);
    const int dir = fs_open_dir(log->entries, name), error = dir < 0 ? dir : fs_sync(dir);
    if (dir >= 0)
        close(dir);
    return error;
}

/* The bucket before the held one, which usually has the number before. */
static int sync_bucket_before(const mq_log *log)
{
    struct chain_list buckets = {0};
    int error = log->hold.bucket > 0 ? sync_bucket(log, log->hold.bucket - 1) : 0;
    if (error != -ENOENT)
        return error;
    error = chain_list_buckets(log->dir, &buckets);
    size_t before = error ? 0 : buckets.count;
    while (before > 0 && buckets.list[before - 1] >= log->hold.bucket)
        before--;
    if (before > 0)
        error = sync_bucket(log, buckets.list[before - 1]);
    chain_list_free(&buckets);
    return error == -ENOENT ? 0 : error; /* retention has removed it */
}

static int persist_bucket(mq_log *log)
{
    if (fs_is_persisted(log->hold.dir))
        return 0;
    const int error = sync_bucket_before(log);
    return error ? error : fs_persist_dir(log->entries, log->hold.dir);
}

int log_sync(mq_log *log)
{
    if (!log->is_unsynced)
        return 0;
    int error = fs_sync(log->hold.dir);
    if (!error)
        error = persist_bucket(log);
    if (!error && !log->persisted)
        error = spool_persist_queue(log->spool, log->name, log->dir);
    log->persisted |= !error;
    log->is_unsynced = false;
    return error;
}

/* ---- appending ----------------------------------------------------------------------------------- */

int log_give_to_owner(const mq_log *log, int file)
{
    return getauxval(AT_EUID) == log->owner ? 0 : fs_set_owner(file, log->owner, log->group);
}

void log_note_appended(mq_log *log, uint64_t offset, uint64_t count, bool durable)
{
    log->hold.knows = true;
    log->hold.last = (struct chain_last){offset, count};
    log->is_unsynced |= durable;
    hint_write(&log->hint, log->dir, offset);
}

static int note_run(mq_log *log, uint64_t offset, uint32_t count)
{
    if (!GROW(log->runs, log->run_count + 1, log->run_room))
        return -ENOMEM;
    log->runs[log->run_count++] = (struct log_run){offset, count};
    return 0;
}

int log_append(mq_log *log, const struct log_source *source)
{
    uint64_t offset = 0;
    int error = note_run(log, 0, source->count);
    if (!error)
        error = link_behind_last(log, source, &offset);
    if (error) {
        log->run_count--;
        return error;
    }
    log->runs[log->run_count - 1].offset = offset;
    log_note_appended(log, offset, source->count, source->durable);
    return 0;
}

/* ---- holes ----------------------------------------------------------------------------------------- */

/* Whether the held bucket has nothing at the offset, nor an entry that reaches it. */
static int is_hole(mq_log *log, uint64_t offset)
{
    struct chain_place place;
    const int error = chain_locate(log->dir, offset, &place);
    if (error)
        return error;
    chain_leave(&place);
    return place.kind == CHAIN_HOLE;
}

/* The content of an entry of no messages. */
static int write_gap(const mq_log *log, int file, uint64_t count)
{
    char text[LOG_ENTRY_HEAD];
    int error = io_write_all(file, text, log_entry_put_gap(count, text));
    if (!error)
        error = log_give_to_owner(log, file);
    return error ? error : fs_sync_data(file);
}

/* An entry of no messages, from `offset` to `next`, in the held bucket. */
static int link_gap(mq_log *log, uint64_t offset, uint64_t next)
{
    char name[LOG_NAME_SIZE];
    struct fs_draft draft;
    int error = fs_draft_open(&draft, log->dir, "tmp", FS_FILE_MODE);
    if (error == -ENOENT && log_heal(log->dir) == 0)
        error = fs_draft_open(&draft, log->dir, "tmp", FS_FILE_MODE);
    if (error)
        return error;
    error = write_gap(log, draft.file, next - offset);
    log_name_format(offset, name);
    if (!error)
        error = fs_draft_link(&draft, log->hold.dir, name);
    if (!error)
        error = fs_sync(log->hold.dir);
    fs_draft_close(&draft);
    return error == -EEXIST ? 0 : error;
}

int log_close_hole(mq_log *log, uint64_t offset, uint64_t next)
{
    const int held = hold_above_beginning(log, log_bucket_of(offset)), is = held == 1 ? is_hole(log, offset) : held;
    return is == 1 ? link_gap(log, offset, next) : is;
}

/* One exchange of two names: the gap, which was made in aside/, and the entry. */
static int exchange_gap(mq_log *log, int aside, uint64_t offset, uint64_t next)
{
    char name[LOG_NAME_SIZE], gap[ASIDE_NAME_SIZE];
    log_name_format(offset, name);
    aside_name(name, gap);
    const int file = fs_make_file(aside, gap, FS_FILE_MODE);
    if (file < 0)
        return file;
    int error = write_gap(log, file, next - offset);
    close(file);
    if (!error)
        error = fs_sync(aside);
    if (!error)
        error = fs_exchange(aside, gap, log->hold.dir, name);
    if (error)
        (void)fs_unlink(aside, gap);
    return error == -ENOENT ? 0 : error ? error : fs_sync(log->hold.dir);
}

int log_replace_by_gap(mq_log *log, uint64_t offset, uint64_t next)
{
    const int held = hold_above_beginning(log, log_bucket_of(offset)), aside = held == 1 ? aside_open(log->dir) : held;
    if (held != 1 || aside < 0)
        return aside;
    const int error = exchange_gap(log, aside, offset, next);
    close(aside);
    log->hold.knows = false;
    bucket_size_forget(log->dir, log_bucket_of(offset));
    return error;
}

/* After a power cut a group may be beyond the end, since it has seen what was lost. Its offsets are not given again: then
   the group would pass over the messages that get them. */
static int plug(mq_log *log, struct chain_last *last)
{
    struct group_bounds bounds;
    const uint64_t end = last->offset + last->count;
    const int any = group_find_bounds(log->dir, true, &bounds);
    if (any != 1 || bounds.highest <= end || bounds.highest - end > LOST_MOST)
        return any < 0 ? any : last->count > 0;
    const bool is_beside = last->count > 0 && log_bucket_of(last->offset) == log_bucket_of(end);
    int is = hold_above_beginning(log, log_bucket_of(end));
    if (is == 1 && is_beside)
        is = is_in_hold(log, last);
    const int error = is == 1 ? link_gap(log, end, bounds.highest) : is;
    if (!error && is == 1)
        *last = (struct chain_last){end, bounds.highest - end};
    return error ? error : last->count > 0;
}
