/* The seam between the library and the C library. */
#include "seam.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <poll.h>
#include <search.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/vfs.h>
#include <time.h>
#include <unistd.h>

static struct seam now;
static unsigned counted, lacking;
static bool is_open, has_struck;
static long memory, passed, skew, frozen;
static time_t passed_at, frozen_at;

void seam_open(const struct seam *seam)
{
    now = *seam;
    counted = 0;
    has_struck = false;
    is_open = true;
}

bool seam_close(void)
{
    is_open = false;
    return has_struck;
}

void seam_do_without(unsigned features)
{
    lacking = features;
}

long seam_memory(void)
{
    return memory;
}

void seam_pass(long seconds)
{
    passed = seconds;
    passed_at = time(NULL);
}

void seam_skew(long seconds)
{
    skew = seconds;
}

void seam_freeze(long seconds)
{
    frozen = seconds;
    frozen_at = time(NULL);
}

static bool lacks(unsigned feature)
{
    return (lacking & feature) != 0;
}

/* Of several faults that a call can have it has the first that is asked for. */
static int error_of(unsigned faults)
{
    static const int errors[SEAM_FAULTS] = {ENOMEM, ENOSPC, EMFILE, EACCES, EIO, EINTR, 0, ENOENT};
    int fault = 0;
    while (!(faults & 1u << fault))
        fault++;
    return errors[fault];
}

static bool is_its_turn(unsigned faults)
{
    if (!is_open || !(faults & now.faults))
        return false;
    counted++;
    return counted == now.nth || (now.lasting && now.nth != 0 && counted > now.nth);
}

static void strike(void)
{
    is_open = false;
    now.strike(now.context);
    is_open = true;
}

/* Whether the call, which can have these faults, has one now: errno tells which, 0 that it is SEAM_SHORT. */
static bool fails(unsigned faults)
{
    if (!is_its_turn(faults))
        return false;
    has_struck = true;
    if (now.strike) {
        strike();
        return false;
    }
    errno = error_of(faults & now.faults);
    return true;
}

#define NAMED (SEAM_NO_RIGHTS | SEAM_BROKEN)
#define MAKES (NAMED | SEAM_NO_ROOM)

#define WRAP(type, name, faults, failure, parameters, ...)                                                             \
    type __real_##name parameters;                                                                                     \
    type __wrap_##name parameters;                                                                                     \
    type __wrap_##name parameters                                                                                      \
    {                                                                                                                  \
        return fails(faults) ? (failure) : __real_##name(__VA_ARGS__);                                                 \
    }

/* ---- memory -------------------------------------------------------------------------- */

static void *keep(void *piece)
{
    memory += piece != NULL;
    return piece;
}

#define WRAP_NEW(type, name, parameters, ...)                                                                          \
    type *__real_##name parameters;                                                                                    \
    type *__wrap_##name parameters;                                                                                    \
    type *__wrap_##name parameters                                                                                     \
    {                                                                                                                  \
        return fails(SEAM_NO_MEMORY) ? NULL : keep(__real_##name(__VA_ARGS__));                                        \
    }

WRAP_NEW(void, malloc, (size_t size), size)
WRAP_NEW(void, calloc, (size_t count, size_t size), count, size)
WRAP_NEW(char, strdup, (const char *text), text)
WRAP_NEW(FILE, open_memstream, (char **text, size_t *size), text, size) /* the text is freed, the stream closed */

void *__real_realloc(void *piece, size_t size);
void *__wrap_realloc(void *piece, size_t size);
void *__wrap_realloc(void *piece, size_t size)
{
    if (fails(SEAM_NO_MEMORY))
        return NULL;
    memory += piece == NULL;
    return __real_realloc(piece, size);
}

void *__wrap_reallocarray(void *piece, size_t count, size_t size);
void *__wrap_reallocarray(void *piece, size_t count, size_t size)
{
    return __wrap_realloc(piece, count * size);
}

void __real_free(void *piece);
void __wrap_free(void *piece);
void __wrap_free(void *piece)
{
    memory -= piece != NULL;
    __real_free(piece);
}

WRAP(void *, tsearch, SEAM_NO_MEMORY, NULL, (const void *key, void **root, int (*compare)(const void *, const void *)),
     key, root, compare)

/* ---- opening ------------------------------------------------------------------------- */

static mode_t mode_of(int flags, va_list arguments)
{
    return flags & (O_CREAT | O_TMPFILE) & ~O_DIRECTORY ? va_arg(arguments, mode_t) : 0;
}

int __real_openat(int at, const char *name, int flags, ...);
int __wrap_openat(int at, const char *name, int flags, ...);
int __wrap_openat(int at, const char *name, int flags, ...)
{
    va_list arguments;
    va_start(arguments, flags);
    const mode_t mode = mode_of(flags, arguments);
    va_end(arguments);
    const bool is_made = flags & O_CREAT || (flags & O_TMPFILE) == O_TMPFILE;
    if (lacks(SEAM_WITHOUT_TMPFILE) && (flags & O_TMPFILE) == O_TMPFILE) {
        errno = EOPNOTSUPP;
        return -1;
    }
    return fails(NAMED | SEAM_NO_DESCRIPTORS | (is_made ? SEAM_NO_ROOM : 0)) ? -1
                                                                             : __real_openat(at, name, flags, mode);
}

/* What openat() is with FORTIFY, where the compiler does not see its flags. */
int __wrap___openat_2(int at, const char *name, int flags);
int __wrap___openat_2(int at, const char *name, int flags)
{
    return __wrap_openat(at, name, flags);
}

int __real_open(const char *path, int flags, ...);
int __wrap_open(const char *path, int flags, ...);
int __wrap_open(const char *path, int flags, ...)
{
    return fails(NAMED | SEAM_NO_DESCRIPTORS) ? -1 : __real_open(path, flags);
}

/* openat2, which has no name in the C library. */
long __wrap_syscall(long number, ...);
long __real_syscall(long number, ...);
long __wrap_syscall(long number, ...)
{
    va_list arguments;
    va_start(arguments, number);
    const int at = va_arg(arguments, int);
    const char *path = va_arg(arguments, const char *);
    const void *how = va_arg(arguments, const void *);
    const size_t size = va_arg(arguments, size_t);
    va_end(arguments);
    if (lacks(SEAM_WITHOUT_OPENAT2)) {
        errno = ENOSYS;
        return -1;
    }
    return fails(NAMED | SEAM_NO_DESCRIPTORS) ? -1 : __real_syscall(number, at, path, how, size);
}

ssize_t __real_getrandom(void *buffer, size_t size, unsigned flags);
ssize_t __wrap_getrandom(void *buffer, size_t size, unsigned flags);
ssize_t __wrap_getrandom(void *buffer, size_t size, unsigned flags)
{
    if (lacks(SEAM_WITHOUT_RANDOM)) {
        errno = ENOSYS;
        return -1;
    }
    return __real_getrandom(buffer, size, flags);
}

WRAP(int, dup, SEAM_NO_DESCRIPTORS, -1, (int file), file)
WRAP(void *, mmap, SEAM_NO_MEMORY, MAP_FAILED,
     (void *at, size_t size, int protection, int flags, int file, off_t offset), at, size, protection, flags, file,
     offset)

/* ---- names ---------------------------------------------------------------------------- */

WRAP(int, mkdir, MAKES, -1, (const char *path, mode_t mode), path, mode)
WRAP(int, mkdirat, MAKES, -1, (int at, const char *name, mode_t mode), at, name, mode)
WRAP(int, symlinkat, MAKES, -1, (const char *text, int at, const char *name), text, at, name)
WRAP(ssize_t, readlinkat, NAMED, -1, (int at, const char *name, char *text, size_t size), at, name, text, size)
WRAP(int, mkfifoat, MAKES, -1, (int at, const char *name, mode_t mode), at, name, mode)
/* Where nothing goes any more what was made could never be taken back: then there is nothing to promise. */
WRAP(int, unlinkat, now.lasting ? 0 : NAMED, -1, (int at, const char *name, int flags), at, name, flags)
WRAP(int, faccessat, NAMED, -1, (int at, const char *name, int mode, int flags), at, name, mode, flags)
WRAP(int, fstatat, NAMED, -1, (int at, const char *name, struct stat *status, int flags), at, name, status, flags)
WRAP(int, utimensat, NAMED, -1, (int at, const char *name, const struct timespec times[2], int flags), at, name, times,
     flags)

int __real_linkat(int from, const char *name, int to, const char *new_name, int flags);
int __wrap_linkat(int from, const char *name, int to, const char *new_name, int flags);
int __wrap_linkat(int from, const char *name, int to, const char *new_name, int flags)
{
    if ((lacks(SEAM_WITHOUT_EMPTY_PATH) && flags & AT_EMPTY_PATH) ||
        (lacks(SEAM_WITHOUT_PROC) && flags & AT_SYMLINK_FOLLOW)) {
        errno = ENOENT;
        return -1;
    }
    return fails(MAKES) ? -1 : __real_linkat(from, name, to, new_name, flags);
}

WRAP(int, renameat, MAKES, -1, (int from, const char *name, int to, const char *new_name), from, name, to, new_name)

int __real_renameat2(int from, const char *name, int to, const char *new_name, unsigned flags);
int __wrap_renameat2(int from, const char *name, int to, const char *new_name, unsigned flags);
int __wrap_renameat2(int from, const char *name, int to, const char *new_name, unsigned flags)
{
    if (lacks(SEAM_WITHOUT_NOREPLACE)) {
        errno = EINVAL;
        return -1;
    }
    if (!fails(MAKES | SEAM_LOST_ANSWER))
        return __real_renameat2(from, name, to, new_name, flags);
    if (errno == ENOENT)
        (void)__real_renameat2(from, name, to, new_name, flags);
    return -1;
}

ssize_t __real_getdents64(int dir, void *buffer, size_t size);
ssize_t __wrap_getdents64(int dir, void *buffer, size_t size);
ssize_t __wrap_getdents64(int dir, void *buffer, size_t size)
{
    const ssize_t filled = fails(SEAM_BROKEN) ? -1 : __real_getdents64(dir, buffer, size);
    for (ssize_t at = 0; at < filled && lacks(SEAM_WITHOUT_TYPES);) {
        struct dirent64 *entry = (struct dirent64 *)(void *)((char *)buffer + at);
        entry->d_type = DT_UNKNOWN;
        at += entry->d_reclen;
    }
    return filled;
}

/* ---- contents ------------------------------------------------------------------------- */

#define FILLS (SEAM_BROKEN | SEAM_NO_ROOM | SEAM_SIGNAL | SEAM_SHORT)

/* How much of `size` goes: less where the fault is a short one, -1 where it is another. */
static ssize_t much_of(size_t size, unsigned faults)
{
    if (size == 0 || !fails(faults))
        return (ssize_t)size;
    return errno == 0 ? 1 : -1;
}

ssize_t __real_read(int file, void *buffer, size_t size);
ssize_t __wrap_read(int file, void *buffer, size_t size);
ssize_t __wrap_read(int file, void *buffer, size_t size)
{
    const ssize_t much = much_of(size, SEAM_BROKEN | SEAM_SIGNAL | SEAM_SHORT);
    return much < 0 ? -1 : __real_read(file, buffer, (size_t)much);
}

ssize_t __real_write(int file, const void *buffer, size_t size);
ssize_t __wrap_write(int file, const void *buffer, size_t size);
ssize_t __wrap_write(int file, const void *buffer, size_t size)
{
    const ssize_t much = much_of(size, FILLS);
    return much < 0 ? -1 : __real_write(file, buffer, (size_t)much);
}

ssize_t __real_writev(int file, const struct iovec *parts, int count);
ssize_t __wrap_writev(int file, const struct iovec *parts, int count);
ssize_t __wrap_writev(int file, const struct iovec *parts, int count)
{
    const ssize_t much = much_of(parts[0].iov_len, FILLS);
    if (much < 0)
        return -1;
    return (size_t)much < parts[0].iov_len ? __real_write(file, parts[0].iov_base, (size_t)much)
                                           : __real_writev(file, parts, count);
}

WRAP(ssize_t, pread, SEAM_BROKEN | SEAM_SIGNAL, -1, (int file, void *buffer, size_t size, off_t offset), file, buffer,
     size, offset)
WRAP(ssize_t, pwrite, SEAM_BROKEN | SEAM_NO_ROOM, -1, (int file, const void *buffer, size_t size, off_t offset), file,
     buffer, size, offset)
WRAP(int, posix_fallocate, SEAM_BROKEN | SEAM_NO_ROOM, errno, (int file, off_t offset, off_t size), file, offset, size)

int __real_fstat(int file, struct stat *status);
int __wrap_fstat(int file, struct stat *status);
int __wrap_fstat(int file, struct stat *status)
{
    const int error = fails(SEAM_BROKEN) ? -1 : __real_fstat(file, status);
    if (!error && passed && status->st_mtim.tv_sec >= passed_at)
        status->st_mtim.tv_sec += passed;
    if (!error && frozen && status->st_mtim.tv_sec >= frozen_at)
        status->st_mtim.tv_sec += frozen;
    return error;
}

WRAP(int, fstatvfs, SEAM_BROKEN, -1, (int file, struct statvfs *status), file, status)
WRAP(int, fchmod, SEAM_BROKEN | SEAM_NO_RIGHTS, -1, (int file, mode_t mode), file, mode)

int __real_fstatfs(int file, struct statfs *status);
int __wrap_fstatfs(int file, struct statfs *status);
int __wrap_fstatfs(int file, struct statfs *status)
{
    const int error = fails(SEAM_BROKEN) ? -1 : __real_fstatfs(file, status);
    if (!error)
        status->f_type = lacks(SEAM_ON_COPIES)       ? FUSE_SUPER_MAGIC
                         : lacks(SEAM_ON_NETWORK)    ? NFS_SUPER_MAGIC
                         : lacks(SEAM_WITHOUT_ORDER) ? TMPFS_MAGIC
                                                     : XFS_SUPER_MAGIC;
    return error;
}

#define WRAP_SYNC(name)                                                                                                \
    int __wrap_##name(int file);                                                                                       \
    int __wrap_##name(int file)                                                                                        \
    {                                                                                                                  \
        (void)file;                                                                                                    \
        return fails(SEAM_BROKEN | SEAM_NO_ROOM) ? -1 : 0;                                                             \
    }

WRAP_SYNC(fsync)
WRAP_SYNC(fdatasync)

int __wrap_sync_file_range(int file, off_t offset, off_t size, unsigned flags);
int __wrap_sync_file_range(int file, off_t offset, off_t size, unsigned flags)
{
    (void)file, (void)offset, (void)size, (void)flags;
    if (lacks(SEAM_WITHOUT_RANGES)) {
        errno = ENOSYS;
        return -1;
    }
    return fails(SEAM_BROKEN | SEAM_NO_ROOM) ? -1 : 0;
}

/* ---- time and waiting -------------------------------------------------------------------------- */

int __real_clock_gettime(clockid_t clock, struct timespec *time);
int __wrap_clock_gettime(clockid_t clock, struct timespec *time);
int __wrap_clock_gettime(clockid_t clock, struct timespec *time)
{
    const int error = __real_clock_gettime(clock, time);
    time->tv_sec += passed + (clock == CLOCK_REALTIME ? skew : 0);
    return error;
}

WRAP(int, flock, SEAM_SIGNAL, -1, (int file, int operation), file, operation)
WRAP(int, ioctl, SEAM_BROKEN, -1, (int file, unsigned long request, void *argument), file, request, argument)

int __real_inotify_init1(int flags);
int __wrap_inotify_init1(int flags);
int __wrap_inotify_init1(int flags)
{
    if (lacks(SEAM_WITHOUT_INOTIFY)) {
        errno = EMFILE;
        return -1;
    }
    return fails(SEAM_NO_DESCRIPTORS) ? -1 : __real_inotify_init1(flags);
}

WRAP(int, inotify_add_watch, SEAM_NO_ROOM | SEAM_NO_RIGHTS, -1, (int inotify, const char *path, uint32_t events),
     inotify, path, events)
WRAP(int, ppoll, SEAM_SIGNAL, -1,
     (struct pollfd * fds, nfds_t count, const struct timespec *time, const sigset_t *signals), fds, count, time,
     signals)

int __real_poll(struct pollfd *fds, nfds_t count, int time);
int __wrap_poll(struct pollfd *fds, nfds_t count, int time);
int __wrap_poll(struct pollfd *fds, nfds_t count, int time)
{
    if (fails(SEAM_SIGNAL))
        return -1;
    return count == 0 ? 0 : __real_poll(fds, count, time);
}
