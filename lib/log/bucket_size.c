/*
 * How many bytes the files of buckets have.
 *
 * A note is a symbolic link from a bucket's name to two numbers: the bytes of its files, and the sum of the notes before it,
 * which begins anywhere. So the bytes of many buckets are the difference of two sums. Whoever misses a note makes it,
 * from the nearest one before it on.
 */
#include "log/bucket_size.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/units.h"
#include "format/log_name.h"
#include "log/log.h"

#define SIZES "sizes"
#define NOTE_SIZE 48

struct note {
    uint64_t own, before;
};

/* ---- notes ------------------------------------------------------------------------------- */

static int open_sizes(int dir)
{
    int sizes = fs_open_dir(dir, SIZES);
    if (sizes != -ENOENT)
        return sizes;
    const int error = fs_make_dir(dir, SIZES);
    if (!error)
        (void)fs_give_to_owner_of(dir, SIZES);
    return error && error != -EEXIST ? error : fs_open_dir(dir, SIZES);
}

static bool read_note(int sizes, uint64_t bucket, struct note *ret_note)
{
    char name[LOG_NAME_SIZE], text[NOTE_SIZE];
    log_name_format_bucket(bucket, name);
    if (sizes < 0 || fs_read_symlink(sizes, name, text, sizeof text) != 0)
        return false;
    char *between = strchr(text, '+');
    if (!between)
        return false;
    *between = '\0';
    return units_parse_number(text, INT64_MAX, &ret_note->own) &&
           units_parse_number(between + 1, INT64_MAX, &ret_note->before);
}

/* If this fails, the files are looked at again the next time. */
static void write_note(int sizes, uint64_t bucket, const struct note *note)
{
    char name[LOG_NAME_SIZE], text[NOTE_SIZE];
    if (sizes < 0)
        return;
    log_name_format_bucket(bucket, name);
    snprintf(text, sizeof text, "%" PRIu64 "+%" PRIu64, note->own, note->before);
    if (fs_make_symlink(sizes, name, text) != -EEXIST || read_note(sizes, bucket, &(struct note){0}))
        return;
    (void)fs_unlink(sizes, name); /* it was no note */
    (void)fs_make_symlink(sizes, name, text);
}

void bucket_size_forget(int dir, uint64_t bucket)
{
    char name[LOG_NAME_SIZE];
    const int sizes = fs_open_dir(dir, SIZES);
    log_name_format_bucket(bucket, name);
    if (sizes < 0)
        return;
    (void)fs_unlink(sizes, name);
    close(sizes);
}

/* ---- files ------------------------------------------------------------------------------- */

/* What is not in the log has no bytes. */
static int measure(int dir, uint64_t bucket, uint64_t *ret_bytes)
{
    struct chain_list entries = {0};
    struct stat status;
    char name[LOG_NAME_SIZE];
    log_name_format_bucket(bucket, name);
    const int opened = fs_open_dir_below(dir, LOG_ENTRIES, name);
    int error = opened < 0 ? opened : chain_list_entries(dir, bucket, &entries);
    uint64_t bytes = 0;
    for (size_t i = 0; i < entries.count && !error; i++) {
        log_name_format(entries.list[i], name);
        if (fstatat(opened, name, &status, AT_SYMLINK_NOFOLLOW) == 0)
            bytes += (uint64_t)status.st_size;
        else if (errno != ENOENT)
            error = -errno;
    }
    if (opened >= 0)
        close(opened);
    chain_list_free(&entries);
    if (error && error != -ENOTDIR && error != -ELOOP && error != -ENOENT)
        return error;
    *ret_bytes = error ? 0 : bytes;
    return 0;
}

/* ---- sums -------------------------------------------------------------------------------- */

/* Make the note of a bucket behind one that has a note, or is NULL. Then the note behind it tells, if there is one. */
static int make_note(int dir, int sizes, uint64_t bucket, const struct note *previous, struct note *ret_note)
{
    struct note next;
    const int error = measure(dir, bucket, &ret_note->own);
    if (error)
        return error;
    ret_note->before = 0;
    if (previous)
        ret_note->before = previous->before + previous->own;
    else if (read_note(sizes, bucket + 1, &next) && next.before >= ret_note->own)
        ret_note->before = next.before - ret_note->own;
    write_note(sizes, bucket, ret_note);
    return 0;
}

/* The note of the last of these buckets. */
static int make_notes(int dir, int sizes, const uint64_t *buckets, size_t count, struct note *ret_note)
{
    size_t at = count;
    struct note note = {0};
    while (at > 0 && !read_note(sizes, buckets[at - 1], &note))
        at--;
    for (bool has = at > 0; at < count; at++, has = true) {
        const struct note previous = note;
        const int error = make_note(dir, sizes, buckets[at], has ? &previous : NULL, &note);
        if (error)
            return error;
    }
    *ret_note = note;
    return 0;
}

/* The last of the buckets from `from` to before `last`, which is usually the one with the number before. */
static int find_complete(int dir, int sizes, uint64_t from, uint64_t last, struct note *ret_note)
{
    struct note previous;
    struct chain_list buckets = {0};
    if (read_note(sizes, last - 1, ret_note))
        return 0;
    if (last - 1 > from && read_note(sizes, last - 2, &previous))
        return make_note(dir, sizes, last - 1, &previous, ret_note);
    int error = chain_list_buckets(dir, &buckets);
    size_t first = 0, end = error ? 0 : buckets.count;
    while (first < end && buckets.list[first] < from)
        first++;
    while (end > first && buckets.list[end - 1] >= last)
        end--;
    if (!error)
        error = make_notes(dir, sizes, buckets.list + first, end - first, ret_note);
    chain_list_free(&buckets);
    return error;
}

int bucket_size_sum(int dir, uint64_t from, uint64_t last, uint64_t *ret_bytes)
{
    uint64_t bytes;
    struct note begin = {0}, end = {0};
    int error = measure(dir, last, &bytes);
    if (error || from >= last) {
        *ret_bytes = error ? *ret_bytes : bytes;
        return error;
    }
    const int sizes = open_sizes(dir);
    error = find_complete(dir, sizes, from, last, &end);
    if (!error && !read_note(sizes, from, &begin))
        error = make_note(dir, sizes, from, NULL, &begin);
    if (sizes >= 0)
        close(sizes);
    if (error)
        return error;
    const uint64_t sum = end.before + end.own;
    *ret_bytes = bytes + (sum > begin.before ? sum - begin.before : 0);
    return 0;
}
