/*
 * What hosts that share a file system agree on through it: the time, and who changes a directory.
 *
 * Errors are negative errno values.
 */
#ifndef MQ_FS_HOSTS_H
#define MQ_FS_HOSTS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/fs.h"

/* The time of the file system, which is that of a file that was just made in `dir`. `ret_boot` is the moment by
   clock_boot() that it was made at, and `ret_within` how far from that it may have been made at most. */
int fs_read_clock(int dir, int64_t *ret_time, int64_t *ret_boot, int64_t *ret_within);

/* The time by which what lies in `dir` is judged where no handle knows it: the host's, or that of the file system if several
   hosts may share it. To learn the latter a directory of this name is made there for a moment; a crash leaves it, so it is to
   be one that a sweep removes. `type` is the file system's (fs_find_type), which is asked for if it is 0. */
int fs_find_time(int dir, unsigned long *type, const char *name, int64_t *ret_time);

/* Open what a flock(2) is to be taken on that keeps others from the directory `dir`: on a file system of one host the
   directory itself, else a file in it, since no lock on a directory reaches other hosts. */
#define FS_LOCK_FILE ".lock"
int fs_open_lock(int dir);

/* Whether that is a file, for the file system is shared by several hosts. */
bool fs_is_lock_of_hosts(int lock);

/* Once the lock is taken: whether it keeps others out, which it does not if a sweep has removed the file. On a file system
   that several hosts share, wait until what they have changed is seen here: a cache shows what is gone for up to a
   second. */
bool fs_has_lock(int lock);

/* The same, and take the exclusive lock, however long others have it. */
int fs_lock(int dir);

/*
 * A host that is cut off from the file system loses its locks, and is not told. So once the lock is taken a file that is to be
 * replaced is noted, and just before that it is asked whether the lock is still ours, and the file the same. -EAGAIN: it is
 * not. On a file system of one host neither makes a call.
 */
struct fs_guard {
    int lock;
    struct fs_identity was; /* number 0: there was none */
};
int fs_guard(int lock, int dir, const char *name, struct fs_guard *ret_guard);
int fs_guard_holds(const struct fs_guard *guard, int dir, const char *name);

#endif
