/* What hosts that share a file system agree on through it. */
#include "base/fs_hosts.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fs_network.h"
#include "base/id.h"

/* Names and contents are cached for a second by FUSE, by GlusterFS, and by NFS as mq(7) says to mount it. */
#define CACHED_MILLISECONDS 1100

/* Who may open the directory may take its lock. */
#define LOCK_MODE 0666

#define TRIES 10

int fs_read_clock(int dir, int64_t *ret_time, int64_t *ret_boot, int64_t *ret_within)
{
    char name[17];
    struct stat status;
    /* As a draft's, so that a sweep removes what a crash leaves. */
    snprintf(name, sizeof name, "%016" PRIx64, id_random());
    const int64_t before = clock_boot();
    const int file = fs_make_file(dir, name, FS_FILE_MODE);
    const int64_t after = clock_boot();
    if (file < 0)
        return file;
    const int error = fstat(file, &status) < 0 ? -errno : 0;
    close(file);
    (void)fs_unlink(dir, name);
    if (error)
        return error;
    *ret_time = clock_of_file(&status.st_mtim);
    *ret_boot = before + (after - before) / 2;
    *ret_within = (after - before) / 2;
    return 0;
}

static int time_of_new_dir(int parent, const char *name, int64_t *ret_time)
{
    struct stat status;
    int error = fs_make_dir(parent, name);
    if (error)
        return error;
    const int dir = fs_open_dir(parent, name);
    error = dir < 0 ? dir : fstat(dir, &status) < 0 ? -errno : 0;
    if (dir >= 0)
        close(dir);
    (void)fs_remove_dir(parent, name);
    if (!error)
        *ret_time = clock_of_file(&status.st_mtim);
    return error;
}

int fs_find_time(int dir, unsigned long *type, const char *name, int64_t *ret_time)
{
    int error = *type ? 0 : fs_find_type(dir, type);
    if (!error && !fs_type_is_network(*type))
        *ret_time = clock_now();
    else if (!error)
        for (int tries = 0; (error = time_of_new_dir(dir, name, ret_time)) == -ENOENT && tries < TRIES; tries++)
            ; /* a sweep was faster */
    return error;
}

int fs_open_lock(int dir)
{
    const int is_network = fs_is_network(dir);
    if (is_network <= 0)
        return is_network < 0 ? is_network : fs_open_dir(dir, ".");
    for (;;) {
        const int file = fs_open_shared_below(dir, ".", FS_LOCK_FILE, true);
        if (file != -ENOENT)
            return file;
        const int error = fs_make_empty(dir, FS_LOCK_FILE, LOCK_MODE);
        if (error && error != -EEXIST)
            return error;
    }
}

bool fs_is_lock_of_hosts(int lock)
{
    struct stat status;
    return fstat(lock, &status) == 0 && S_ISREG(status.st_mode);
}

bool fs_has_lock(int lock)
{
    struct stat status;
    if (fstat(lock, &status) < 0)
        return false;
    if (!S_ISREG(status.st_mode))
        return true; /* the directory itself */
    if (status.st_nlink == 0)
        return false;
    (void)poll(NULL, 0, CACHED_MILLISECONDS);
    return true;
}

int fs_lock(int dir)
{
    for (;;) {
        const int lock = fs_open_lock(dir);
        const int error = lock < 0 ? lock : flock(lock, LOCK_EX) < 0 ? -errno : 0;
        if (!error && fs_has_lock(lock))
            return lock;
        if (lock >= 0)
            close(lock);
        if (error)
            return error;
    }
}

int fs_guard(int lock, int dir, const char *name, struct fs_guard *ret_guard)
{
    *ret_guard = (struct fs_guard){.lock = lock};
    if (!fs_is_lock_of_hosts(lock))
        return 0;
    const int file = fs_open_file(dir, name);
    const int error = file < 0 ? file : fs_identify(file, &ret_guard->was);
    if (file >= 0)
        close(file);
    return error == -ENOENT ? 0 : error;
}

int fs_guard_holds(const struct fs_guard *guard, int dir, const char *name)
{
    if (!fs_is_lock_of_hosts(guard->lock))
        return 0;
    if (flock(guard->lock, LOCK_EX | LOCK_NB) < 0)
        return errno == EWOULDBLOCK ? -EAGAIN : -errno;
    const bool was_there = guard->was.number != 0;
    const int is_same = was_there ? fs_is_named(dir, name, &guard->was) : fs_has(dir, name);
    return is_same < 0 ? is_same : is_same == was_there ? 0 : -EAGAIN;
}
