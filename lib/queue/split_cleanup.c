/*
 * Unfinished splits.
 *
 * A link in tmp/ whose batch was never renamed means nothing. But the process that made the link may be about to rename
 * the batch. Once the links in tmp/ are the only ones of their file, no process can rename the batch any more; and the
 * process that moved the last of the messages has taken every link that did mean something. One file may have several
 * such links. So the sweep lists them, then counts the links of the file, and then looks whether all listed ones still
 * exist: if so, they existed when the links of the file were counted.
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
#include "base/fs_list.h"
#include "base/grow.h"
#include "queue/blame.h"
#include "queue/split.h"
#include "store/bucket.h"

/* ---- finishing --------------------------------------------------------------------- */

static int finish(void *context, const struct bucket_file *file)
{
    struct message_name name = file->name;
    const int error = split_finish(context, file->state, &name);
    /* A batch that cannot be taken apart is put away by the receiver that claims it. */
    return error == -EBADMSG || error == -EAGAIN || blame_is_stuck(file->dir, error) ? 0 : error;
}

int split_cleanup_finish(mq_queue *queue)
{
    int error = 0;
    for (int state = 0; state < MQ_STATES && !error; state++)
        error = bucket_walk(queue->dir, (enum mq_state)state, finish, queue);
    return error;
}

/* ---- clearing ---------------------------------------------------------------------- */

struct link {
    dev_t device;
    ino_t inode;
    char name[NAME_SIZE];
};

/* The links in tmp/. No name is used twice, so a link that exists at two moments exists between them too. */
struct links {
    int tmp;
    struct link *all;
    size_t count, room;
};

static int add_link(void *context, const char *name, unsigned char type)
{
    struct links *links = context;
    struct stat status;
    if (type != DT_REG || !name_is_split(name))
        return 0;
    if (fstatat(links->tmp, name, &status, AT_SYMLINK_NOFOLLOW) < 0)
        return fs_error_unless_gone();
    if (!GROW(links->all, links->count + 1, links->room))
        return -ENOMEM;
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

/* How many of the sorted links, beginning with `first`, belong to one file. */
static size_t count_same(const struct links *links, size_t first)
{
    size_t count = 1;
    while (first + count < links->count && compare_links(&links->all[first], &links->all[first + count]) == 0)
        count++;
    return count;
}

/* Whether these links were the only ones of their file when the links of the file were counted: 1 or 0, or a negative
   errno if that cannot be known. */
static int are_only_links(int tmp, const struct link *links, size_t count)
{
    struct stat status;
    if (fstatat(tmp, links[0].name, &status, AT_SYMLINK_NOFOLLOW) < 0)
        return fs_error();
    int has = status.st_nlink == count;
    for (size_t i = 1; i < count && has == 1; i++)
        has = fs_has(tmp, links[i].name);
    return has;
}

/* A link that cannot be judged or removed does not keep the others. */
static int clear_links(const struct links *links, uint64_t *removed)
{
    int first_error = 0;
    for (size_t first = 0, count; first < links->count; first += count) {
        count = count_same(links, first);
        const int are = are_only_links(links->tmp, &links->all[first], count);
        blame_note(are, &first_error);
        for (size_t i = first; i < first + count && are == 1; i++) {
            const int error = fs_unlink(links->tmp, links->all[i].name);
            *removed += !error;
            blame_note(error, &first_error);
        }
    }
    return first_error;
}

int split_cleanup_clear(mq_queue *queue, uint64_t *ret_removed)
{
    struct links links = {.tmp = -1};
    int error = queue_tmp(queue, &links.tmp);
    if (!error)
        error = fs_list_at(links.tmp, ".", add_link, &links);
    if (links.count > 0)
        qsort(links.all, links.count, sizeof *links.all, compare_links);
    *ret_removed = 0;
    if (!error)
        error = clear_links(&links, ret_removed);
    free(links.all);
    return error;
}
