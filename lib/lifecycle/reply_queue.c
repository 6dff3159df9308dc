/*
 * Reply queues: the private queue of a process that waits for the reply to one request.
 *
 *     error = mq_reply_open(spool, &queue);
 *     … send a request whose Reply-To is the queue's name, receive from the queue …
 *     mq_reply_close(queue);
 *
 * A reply queue is a queue like any other, with two differences: its name, and the lock that its owner holds on its
 * directory as long as the owner lives. A process that gets the exclusive lock knows that the owner is dead, and may
 * remove the queue. A sweep may do that before the owner has its lock. Then the queue was empty, and the owner makes
 * another one.
 */
#include <errno.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/fs_hosts.h"
#include "base/id.h"
#include "base/io.h"
#include "format/name.h"
#include "format/spool_name.h"
#include "queue/queue.h"
#include "store/access.h"
#include "store/spool.h"

/* After a sweep has removed this many new queues, opening one fails. */
#define TRIES 10

/* Its messages need not outlive the owner, and the owner accepts replies of any size. */
static const char settings[] = "durability = none\nmax-size = 1T\n";

static int write_settings(int dir)
{
    const int file = fs_make_file(dir, "config", FS_FILE_MODE);
    if (file < 0)
        return file;
    const int error = io_write_all(file, settings, strlen(settings));
    close(file);
    return error;
}

bool mq_queue_name_is_reply(const char *name)
{
    return name_is_reply(name);
}

/* The owner has two descriptors of the directory, so its lock is a shared one. */
static int lock_owned(int dir)
{
    return flock(dir, LOCK_SH | LOCK_NB) < 0 ? -errno : 0;
}

/* On a file system that several hosts share the lock is on a file. A sweep of another host may have come before. */
static int lock_across_hosts(mq_queue *queue)
{
    queue->lock = fs_open_lock(queue->dir);
    return queue->lock < 0 ? queue->lock : lock_owned(queue->lock);
}

/* Fill a new directory, and open it as a queue. The lock is held all the time; the handle takes it over. */
static int fill(const char *spool, const char *name, int dir, mq_queue **ret_queue)
{
    mq_queue *queue;
    int error = lock_owned(dir);
    if (!error)
        error = spool_make_dirs(dir, ACCESS_PRIVATE);
    if (!error)
        error = write_settings(dir);
    if (!error)
        error = queue_open(spool, name, 0, &queue);
    if (error)
        return error;
    error = lock_owned(queue->dir);
    if (!error && queue->clock.is_network)
        error = lock_across_hosts(queue);
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
    /* The directory is gone or locked: a sweep found it before its owner had the lock. */
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
        (void)spool_remove_tree(root, queue->name); /* if this fails, a sweep removes it */
        close(root);
    }
    mq_close(queue);
}

int spool_sweep_reply(int spool, const char *name)
{
    const int dir = fs_open_dir(spool, name);
    if (dir < 0)
        return dir == -ENOENT ? 0 : dir;
    const int lock = fs_open_lock(dir);
    const int locked = lock < 0 ? lock : flock(lock, LOCK_EX | LOCK_NB) < 0 ? -errno : 0;
    const int error = locked ? locked : spool_remove_tree(spool, name);
    if (lock >= 0)
        close(lock);
    close(dir);
    return error == -EWOULDBLOCK ? 0 : error ? error : 1;
}
