/* Packing the buckets of a log. */
#include "log/pack.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/id.h"
#include "base/io.h"
#include "format/decode.h"
#include "format/log_entry.h"
#include "format/log_name.h"
#include "format/name.h"
#include "format/shared_headers.h"
#include "log/bucket_lock.h"
#include "log/bucket_size.h"
#include "log/log.h"

#define ENTRIES_LEAST 32      /* a bucket of fewer is left as it is */
#define SMALL (64u << 10)     /* bytes of an entry that is put together with others */
#define TOGETHER (256u << 10) /* and of what becomes of them */
#define IS_PACKED S_ISVTX     /* of a bucket's directory: it was packed, or is not worth it */

/* Entries that lie one behind the other, and become one. */
struct run {
    uint64_t offset, count, entries;
    size_t size; /* of the text, without the line of the count */
    struct timespec written;
};

struct packing {
    int dir, lock; /* of the log */
    int from, to;  /* the bucket as it is, and as it will be; -1: none */
    uint64_t bucket, limit;
    char made[LOG_NAME_SIZE]; /* the name of `to` in removed/ */
    struct chain_list entries;
    struct run run;
    size_t written;        /* entries of the new bucket */
    char *text;            /* of the run, behind the line of a count */
    char *entry, *scratch; /* one entry, and room to take it apart */
    mq_message *view;
};

/* ---- the new bucket ------------------------------------------------------------------------ */

static int make_bucket(struct packing *packing)
{
    const int removed = log_open_removed(packing->dir);
    log_name_format_removed(packing->bucket, id_random(), packing->made);
    int error = removed < 0 ? removed : fs_make_dir(removed, packing->made);
    if (!error)
        error = fs_give_to_owner_of(removed, packing->made);
    if (!error)
        packing->to = fs_open_dir(removed, packing->made);
    if (removed >= 0)
        close(removed);
    return error ? error : packing->to < 0 ? packing->to : 0;
}

static int write_run(struct packing *packing, const char *name)
{
    const struct run *run = &packing->run;
    struct iovec parts[] = {{packing->text, LOG_ENTRY_COUNT_LINE + run->size}};
    const int file = fs_make_file(packing->to, name, FS_FILE_MODE);
    if (file < 0)
        return file;
    log_entry_put_count(packing->text);
    log_entry_set_count(packing->text, (uint32_t)run->count);
    int error = io_write_parts(file, parts, 1);
    if (!error && futimens(file, (struct timespec[]){{.tv_nsec = UTIME_OMIT}, run->written}) < 0)
        error = -errno;
    if (!error)
        error = fs_give_to_owner_of(packing->to, name);
    if (!error)
        error = fs_sync(file);
    close(file);
    return error;
}

/* One entry gets another name; several become one. */
static int end_run(struct packing *packing)
{
    char name[LOG_NAME_SIZE];
    struct run *run = &packing->run;
    log_name_format(run->offset, name);
    const int error = run->entries == 0   ? 0
                      : run->entries == 1 ? fs_link(packing->from, name, packing->to, name)
                                          : write_run(packing, name);
    packing->written += run->entries > 0;
    *run = (struct run){0};
    return error;
}

/* Whether a whole entry can be put behind others: its messages have headers of their own, which say how long they are. */
static bool can_be_joined(struct packing *packing, size_t size, uint64_t count)
{
    size_t at = log_entry_skip_count(packing->entry, size);
    if (shared_headers_begins(packing->entry, size))
        return false;
    memcpy(packing->scratch, packing->entry, size);
    for (uint64_t i = 0; i < count; i++) {
        const size_t used = decode_text(packing->scratch + at, size - at, packing->view);
        if (used == 0)
            return false;
        at += used;
    }
    return at == size;
}

static int add_small(struct packing *packing, uint64_t offset, uint64_t count, size_t size, const struct stat *status)
{
    struct run *run = &packing->run;
    const size_t skip = log_entry_skip_count(packing->entry, size);
    const bool fits = run->size + size - skip <= TOGETHER && run->count + count <= NAME_COUNT_MAX;
    const int error = fits ? 0 : end_run(packing);
    if (error)
        return error;
    if (run->entries == 0)
        run->offset = offset;
    memcpy(packing->text + LOG_ENTRY_COUNT_LINE + run->size, packing->entry + skip, size - skip);
    run->size += size - skip;
    run->count += count;
    run->entries++;
    run->written = status->st_mtim;
    return 0;
}

static int add_as_it_is(struct packing *packing, uint64_t offset)
{
    int error = end_run(packing);
    packing->run = (struct run){.offset = offset, .entries = 1};
    return error ? error : end_run(packing);
}

/* The entry at a place in the list, behind which the offset `next` comes, unless it is the last. */
static int add_entry(struct packing *packing, size_t place, int file)
{
    struct stat status;
    const uint64_t offset = packing->entries.list[place];
    const bool is_last = place + 1 == packing->entries.count;
    if (fstat(file, &status) < 0)
        return fs_error();
    const size_t size = status.st_size < SMALL ? (size_t)status.st_size : SMALL;
    const ssize_t got = S_ISREG(status.st_mode) ? io_read_at(file, packing->entry, size, 0) : -EBADMSG;
    if (got < 0 || (size_t)got < size)
        return got < 0 ? (int)got : -EBADMSG;
    const struct log_entry_head head = log_entry_parse(packing->entry, size);
    const uint64_t next = offset + head.count, end = (packing->bucket + 1) << LOG_BUCKET_BITS;
    if (head.kind != LOG_ENTRY_MESSAGES || (is_last ? next < end : next != packing->entries.list[place + 1]))
        return -EBADMSG;
    if (next > packing->limit)
        return -EAGAIN;
    return status.st_size <= SMALL && can_be_joined(packing, size, head.count)
               ? add_small(packing, offset, head.count, size, &status)
               : add_as_it_is(packing, offset);
}

static int copy(struct packing *packing)
{
    char name[LOG_NAME_SIZE];
    int error = make_bucket(packing);
    for (size_t i = 0; i < packing->entries.count && !error; i++) {
        log_name_format(packing->entries.list[i], name);
        const int file = fs_open_file(packing->from, name);
        error = file < 0 ? file : add_entry(packing, i, file);
        if (file >= 0)
            close(file);
    }
    return error ? error : end_run(packing);
}

/* ---- the exchange -------------------------------------------------------------------------- */

static int mark(int bucket)
{
    struct stat status;
    return fstat(bucket, &status) < 0 ? fs_error() : fs_set_mode(bucket, (status.st_mode & 07777) | IS_PACKED);
}

/* The names of the old bucket are on the disk before the new one has its name, and that before the old one goes. */
static int exchange(struct packing *packing)
{
    char name[LOG_NAME_SIZE];
    const int removed = log_open_removed(packing->dir), entries = fs_open_dir(packing->dir, LOG_ENTRIES);
    log_name_format_bucket(packing->bucket, name);
    int error = removed < 0 ? removed : entries < 0 ? entries : mark(packing->to);
    if (!error)
        error = fs_sync(packing->to);
    if (!error)
        error = fs_exchange(removed, packing->made, entries, name);
    if (!error) {
        bucket_size_forget(packing->dir, packing->bucket);
        error = fs_sync(entries);
    }
    if (removed >= 0)
        close(removed);
    if (entries >= 0)
        close(entries);
    return error;
}

/* ---- one bucket ----------------------------------------------------------------------------- */

/* 1: it is to be packed. */
static int open_bucket(struct packing *packing)
{
    char name[LOG_NAME_SIZE];
    struct stat status;
    log_name_format_bucket(packing->bucket, name);
    packing->from = fs_open_dir_below(packing->dir, LOG_ENTRIES, name);
    if (packing->from < 0)
        return packing->from == -ENOENT ? 0 : packing->from;
    if (fstat(packing->from, &status) < 0)
        return fs_error();
    if (status.st_mode & IS_PACKED)
        return 0;
    const int error = chain_list_entries(packing->dir, packing->bucket, &packing->entries);
    return error == -ENOENT ? 0 : error ? error : 1;
}

/* 1: packed; 0: it stays as it is. */
static int pack_opened(struct packing *packing)
{
    int error = packing->entries.count < ENTRIES_LEAST ? -EBADMSG : copy(packing);
    if (!error && packing->written > packing->entries.count / 2)
        error = -EBADMSG;
    if (!error)
        error = exchange(packing);
    if (error == -EBADMSG)
        (void)mark(packing->from);
    return error == -EBADMSG || error == -ENOENT || error == -EAGAIN ? 0 : error ? error : 1;
}

/* The mark is never taken away, so this may be asked without the lock. */
static bool is_packed(const struct packing *packing)
{
    char path[sizeof LOG_ENTRIES "/" + LOG_NAME_SIZE] = LOG_ENTRIES "/";
    struct stat status;
    log_name_format_bucket(packing->bucket, path + sizeof LOG_ENTRIES);
    return fstatat(packing->dir, path, &status, AT_SYMLINK_NOFOLLOW) == 0 && status.st_mode & IS_PACKED;
}

static int pack_bucket(struct packing *packing)
{
    if (is_packed(packing))
        return 0;
    int done = bucket_lock(packing->lock, packing->bucket, F_RDLCK);
    if (done)
        return done == -EAGAIN ? 0 : done;
    packing->from = packing->to = -1;
    packing->run = (struct run){0};
    packing->written = 0;
    done = open_bucket(packing);
    if (done == 1)
        done = pack_opened(packing);
    if (packing->from >= 0)
        close(packing->from);
    if (packing->to >= 0)
        close(packing->to);
    (void)bucket_lock(packing->lock, packing->bucket, F_UNLCK);
    return done;
}

/* ---- all of them ------------------------------------------------------------------------------ */

static int begin(struct packing *packing)
{
    packing->text = malloc(LOG_ENTRY_COUNT_LINE + TOGETHER + SMALL);
    packing->entry = malloc(SMALL);
    packing->scratch = malloc(SMALL);
    if (!packing->text || !packing->entry || !packing->scratch)
        return -ENOMEM;
    const int error = mq_message_new(&packing->view);
    if (error)
        return error;
    packing->lock = fs_open_shared_below(packing->dir, ".", LOG_HOLD, true);
    return packing->lock == -ENOENT ? -EUCLEAN : packing->lock < 0 ? packing->lock : 0;
}

static void end(struct packing *packing)
{
    if (packing->lock >= 0)
        close(packing->lock);
    mq_message_free(packing->view);
    chain_list_free(&packing->entries);
    free(packing->text);
    free(packing->entry);
    free(packing->scratch);
}

/* All that are full. */
static int pack_listed(struct packing *packing, uint64_t *packed)
{
    struct chain_list buckets = {0};
    int error = chain_list_buckets(packing->dir, &buckets);
    for (size_t i = 0; i < buckets.count && !error; i++) {
        packing->bucket = buckets.list[i];
        if ((packing->bucket + 1) << LOG_BUCKET_BITS > packing->limit)
            break;
        const int done = pack_bucket(packing);
        *packed += done == 1;
        error = done < 0 ? done : 0;
    }
    chain_list_free(&buckets);
    return error;
}

/* The newest, by their numbers. */
static int pack_newest(struct packing *packing, uint64_t most, uint64_t *packed)
{
    const uint64_t end = log_bucket_of(packing->limit);
    int error = 0;
    for (packing->bucket = end > most ? end - most : 0; packing->bucket < end && !error; packing->bucket++) {
        const int done = pack_bucket(packing);
        *packed += done == 1;
        error = done < 0 ? done : 0;
    }
    return error;
}

int log_pack(int dir, uint64_t limit, size_t most, uint64_t *packed)
{
    struct packing packing = {.dir = dir, .lock = -1, .limit = limit};
    int error = log_bucket_of(limit) > 0 ? begin(&packing) : 0;
    if (!error && log_bucket_of(limit) > 0)
        error = most == LOG_ALL ? pack_listed(&packing, packed) : pack_newest(&packing, most, packed);
    end(&packing);
    return error;
}
