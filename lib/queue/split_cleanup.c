/*
 * Splits that somebody began and did not finish.
 *
 * A link in tmp/ whose batch was never renamed means nothing, but its maker may be about to rename it, unless nothing
 * else is left of the file: then nobody can rename the batch any more, and a link that means something would have been
 * taken by whoever moved the last of the others. Several such links may be left of one file. They are listed, the
 * file's links counted, and the listed ones must all be there still: so they were when the file's were counted.
 */
#include "queue/split_cleanup.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fs.h"
#include "queue/blame.h"
#include "queue/split.h"
#include "store/bucket.h"

/* ---- finishing --------------------------------------------------------------------- */

static int finish_bucket(mq_queue *queue, enum mq_state state, const char *bucket, struct listing *files)
{
    const int dir = bucket_open(queue->dir, state, bucket);
    if (dir < 0)
        return bucket_is_missing(dir) ? 0 : dir;
    int error = bucket_read(dir, state, files);
    for (size_t i = 0; i < files->count && !error; i++) {
        struct message_name name;
        name_parse(state, listing_at(files, i), &name);
        error = split_finish(queue, state, &name);
        if (error == -EBADMSG || error == -EAGAIN || blame_is_stuck(dir, error)) /* whoever claims it puts it away */
            error = 0;
    }
    close(dir);
    return error;
}

int split_cleanup_finish(mq_queue *queue)
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

struct link {
    dev_t device;
    ino_t inode;
    char name[NAME_SIZE];
};

/* The links in tmp/. Each name is used once, so one that is there at two moments is there between them. */
struct links {
    int tmp;
    struct link *all;
    size_t count, room;
};

static int add_link(void *context, const char *name, unsigned char type)
{
    struct links *links = context;
    struct stat status;
    if (type != DT_REG || !name_is_split(name) || fstatat(links->tmp, name, &status, AT_SYMLINK_NOFOLLOW) < 0)
        return 0;
    if (links->count == links->room) {
        const size_t room = links->room ? links->room * 2 : 16;
        struct link *all = realloc(links->all, room * sizeof *all);
        if (!all)
            return -ENOMEM;
        links->all = all;
        links->room = room;
    }
    struct link *link = &links->all[links->count++];
    link->device = status.st_dev;
    link->inode = status.st_ino;
    snprintf(link->name, sizeof link->name, "%s", name);
    return 0;
}

static int compare_links(const void *left, const void *right)
{
    const struct link *one = left, *other = right;
    if (one->device != other->device)
        return one->device < other->device ? -1 : 1;
    return (one->inode > other->inode) - (one->inode < other->inode);
}

/* How many of the sorted links from `first` on are of one file. */
static size_t count_same(const struct links *links, size_t first)
{
    size_t count = 1;
    while (first + count < links->count && compare_links(&links->all[first], &links->all[first + count]) == 0)
        count++;
    return count;
}

/* Whether the file had no other link at one moment: the one when its links were counted. */
static bool are_all_there_are(int tmp, const struct link *links, size_t count)
{
    struct stat status;
    if (fstatat(tmp, links[0].name, &status, AT_SYMLINK_NOFOLLOW) < 0 || status.st_nlink != count)
        return false;
    for (size_t i = 1; i < count; i++)
        if (!fs_exists(tmp, links[i].name))
            return false;
    return true;
}

static uint64_t clear_links(const struct links *links)
{
    uint64_t removed = 0;
    for (size_t first = 0, count; first < links->count; first += count) {
        count = count_same(links, first);
        if (!are_all_there_are(links->tmp, &links->all[first], count))
            continue;
        for (size_t i = first; i < first + count; i++)
            removed += fs_unlink(links->tmp, links->all[i].name) == 0;
    }
    return removed;
}

int split_cleanup_clear(mq_queue *queue, uint64_t *ret_removed)
{
    struct links links = {.tmp = -1};
    int error = queue_tmp(queue, &links.tmp);
    if (!error)
        error = fs_list_at(links.tmp, ".", add_link, &links);
    if (links.count > 0)
        qsort(links.all, links.count, sizeof *links.all, compare_links);
    *ret_removed = error ? 0 : clear_links(&links);
    free(links.all);
    return error;
}
