/*
 * Splits that somebody began and did not finish.
 *
 * A link in tmp/ whose batch was never renamed means nothing, but cannot be told from one that means a message, unless
 * nothing else is left of the file: then nobody can rename the batch any more, and a link that means something would
 * have been taken by whoever moved the last of the others. Several such links may be left of one file. They must
 * all be there after the file's links were counted: one that was moved meanwhile would be counted in vain.
 */
#include "unsplit.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bucket.h"
#include "fs.h"
#include "split.h"

/* ---- finishing --------------------------------------------------------------------- */

static int finish_bucket(mq_queue *queue, enum mq_state state, const char *bucket, struct listing *files)
{
    const int dir = bucket_open(queue->dir, state, bucket);
    if (dir < 0)
        return bucket_is_missing(dir) ? 0 : dir;
    int error = bucket_read(dir, state, files);
    for (size_t i = 0; i < files->count && !error; i++) {
        struct name name;
        name_parse(state, listing_at(files, i), &name);
        error = split_finish(queue, state, dir, listing_at(files, i), &name);
        if (error == -EBADMSG) /* whoever claims it puts it away */
            error = 0;
    }
    close(dir);
    return error;
}

int unsplit_finish(mq_queue *queue)
{
    struct listing buckets = {0}, files = {0};
    int error = 0;
    for (int state = 0; state < MQ_STATES && !error; state++) {
        error = bucket_list(queue->dir, (enum mq_state)state, &buckets);
        for (size_t i = 0; i < buckets.count && !error; i++)
            error = finish_bucket(queue, (enum mq_state)state, listing_at(&buckets, i), &files);
    }
    listing_free(&buckets);
    listing_free(&files);
    return error;
}

/* ---- clearing ---------------------------------------------------------------------- */

struct tally {
    int tmp;
    const struct stat *file;
    bool removes;
    nlink_t links;
    uint64_t removed;
};

static int tally_link(void *context, const char *name, unsigned char type)
{
    struct tally *tally = context;
    struct stat status;
    if (type != DT_REG || !name_is_split(name) || fstatat(tally->tmp, name, &status, AT_SYMLINK_NOFOLLOW) < 0 ||
        status.st_ino != tally->file->st_ino || status.st_dev != tally->file->st_dev)
        return 0;
    tally->links++;
    if (tally->removes)
        tally->removed += fs_unlink(tally->tmp, name) == 0;
    return 0;
}

static nlink_t count_links(struct tally *tally)
{
    tally->links = 0;
    return fs_list_at(tally->tmp, ".", tally_link, tally) < 0 ? 0 : tally->links;
}

struct clearing {
    int tmp;
    uint64_t removed;
};

static int clear_link(void *context, const char *name, unsigned char type)
{
    struct clearing *clearing = context;
    struct stat before, after;
    if (type != DT_REG || !name_is_split(name) || fstatat(clearing->tmp, name, &before, AT_SYMLINK_NOFOLLOW) < 0)
        return 0;
    struct tally tally = {.tmp = clearing->tmp, .file = &before};
    /* Counted, and counted again with the links there were in between: none was moved, none came. */
    if (count_links(&tally) != before.st_nlink || fstatat(tally.tmp, name, &after, AT_SYMLINK_NOFOLLOW) < 0 ||
        after.st_nlink != before.st_nlink || count_links(&tally) != after.st_nlink)
        return 0;
    tally.removes = true;
    (void)count_links(&tally);
    clearing->removed += tally.removed;
    return 0;
}

int unsplit_clear(mq_queue *queue, uint64_t *ret_removed)
{
    struct clearing clearing = {.tmp = -1};
    int error = queue_tmp(queue, &clearing.tmp);
    if (!error)
        error = fs_list_at(clearing.tmp, ".", clear_link, &clearing);
    *ret_removed = clearing.removed;
    return error;
}
