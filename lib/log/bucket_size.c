/*
 * How many bytes the files of a bucket have.
 *
 * A bucket behind which another one has begun does not change any more. Its size is noted in sizes/ then, as a symbolic link
 * from its name to the number, so that its files are looked at once. Notes are hints, and go with the bucket.
 */
#include "log/bucket_size.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/units.h"
#include "format/log_name.h"
#include "log/log.h"

#define SIZES "sizes"

static int open_sizes(int dir, char ret_name[LOG_NAME_SIZE], uint64_t bucket)
{
    log_name_format_bucket(bucket, ret_name);
    return fs_open_dir(dir, SIZES);
}

static bool read_note(int dir, uint64_t bucket, uint64_t *ret_bytes)
{
    char name[LOG_NAME_SIZE], text[24];
    const int sizes = open_sizes(dir, name, bucket);
    const bool is = sizes >= 0 && fs_read_symlink(sizes, name, text, sizeof text) == 0 &&
                    units_parse_number(text, INT64_MAX, ret_bytes);
    if (sizes >= 0)
        close(sizes);
    return is;
}

static void write_note(int dir, uint64_t bucket, uint64_t bytes)
{
    char name[LOG_NAME_SIZE], text[24];
    int sizes = open_sizes(dir, name, bucket);
    if (sizes == -ENOENT && fs_make_dir(dir, SIZES) == 0) {
        (void)fs_give_to_owner_of(dir, SIZES);
        sizes = fs_open_dir(dir, SIZES);
    }
    if (sizes < 0)
        return; /* the files are looked at again the next time */
    snprintf(text, sizeof text, "%" PRIu64, bytes);
    (void)fs_make_symlink(sizes, name, text);
    close(sizes);
}

void bucket_size_forget(int dir, uint64_t bucket)
{
    char name[LOG_NAME_SIZE];
    const int sizes = open_sizes(dir, name, bucket);
    if (sizes < 0)
        return;
    (void)fs_unlink(sizes, name);
    close(sizes);
}

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
    if (!error)
        *ret_bytes = bytes;
    return error == -ENOTDIR || error == -ELOOP ? -ENOENT : error;
}

int bucket_size(int dir, uint64_t bucket, bool is_complete, uint64_t *ret_bytes)
{
    if (is_complete && read_note(dir, bucket, ret_bytes))
        return 0;
    const int error = measure(dir, bucket, ret_bytes);
    if (!error && is_complete)
        write_note(dir, bucket, *ret_bytes);
    return error;
}
