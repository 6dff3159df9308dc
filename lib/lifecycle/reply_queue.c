/*
 * Reply queues: the private queue of somebody who waits for the reply to one request.
 *
 * It is a queue like any other, but for its name, and for the lock that its owner holds on its directory as long as he
 * lives. Who can get the lock for himself knows that nobody waits any more, and may remove it. A queue that is removed
 * before its owner had the lock was empty, and he makes another.
 */
#include <errno.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/id.h"
#include "format/name.h"
#include "queue/queue.h"
#include "store/access.h"
#include "store/spool.h"

#define TRIES 10

/* Nothing in it outlives its owner, and what a reply may be is his to judge. */
static const char settings[] = "durability = none\nmax-size = 1T\n";

static int write_settings(int dir)
{
    const int file = fs_make_file(dir, "config", FS_FILE_MODE);
    if (file < 0)
        return file;
    const int error = fs_write_all(file, settings, strlen(settings));
    close(file);
    return error;
}

/* The lock is shared among the owner's descriptors. */
static int lock_owned(int dir)
{
    return flock(dir, LOCK_SH | LOCK_NB) < 0 ? -errno : 0;
}

/* Fill it while we hold the lock, which the handle takes over. */
static int fill(const char *spool, const char *name, int dir, mq_queue **ret_queue)
{
    mq_queue *queue;
    int error = lock_owned(dir);
    if (!error)
        error = spool_make_dirs(dir, ACCESS_PRIVATE);
    if (!error)
        error = write_settings(dir);
    if (!error)
        error = mq_open(spool, name, 0, &queue);
    if (error)
        return error;
    error = lock_owned(queue->dir);
    if (error)
        mq_close(queue);
    else
        *ret_queue = queue;
    return error;
}

static int make(const char *spool, int root, mq_queue **ret_queue)
{
    char name[NAME_REPLY_SIZE];
    name_format_reply(id_random(), name);
    int error = fs_make_dir(root, name);
    if (error)
        return error;
    const int dir = fs_open_dir(root, name);
    error = dir < 0 ? dir : fill(spool, name, dir, ret_queue);
    if (dir >= 0)
        close(dir);
    if (error)
        (void)spool_remove_tree(root, name);
    return error;
}

int mq_reply_open(const char *spool, mq_queue **ret_queue)
{
    const int root = spool_open(spool, true);
    if (root < 0)
        return root;
    int error = -ENOENT;
    /* Gone, or locked: a sweep met it before we had the lock. */
    for (int tries = 0; tries < TRIES && (error == -ENOENT || error == -EWOULDBLOCK); tries++)
        error = make(spool, root, ret_queue);
    close(root);
    return error;
}

void mq_reply_close(mq_queue *queue)
{
    if (!queue)
        return;
    const int root = spool_open(queue->spool, false);
    if (root >= 0) {
        (void)spool_remove_tree(root, queue->name); /* else a sweep does */
        close(root);
    }
    mq_close(queue);
}

int spool_sweep_reply(int spool, const char *name)
{
    const int dir = fs_open_dir(spool, name);
    if (dir < 0)
        return 0;
    const bool abandoned = flock(dir, LOCK_EX | LOCK_NB) == 0;
    const int error = abandoned ? spool_remove_tree(spool, name) : 0;
    close(dir);
    return error ? error : abandoned;
}
