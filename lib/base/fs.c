/* The file system: the only calls of rename, link, unlink, rmdir and fsync. */
#include "base/fs.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <linux/magic.h>
#include <linux/openat2.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/id.h"
#include "base/journal.h"

#ifndef SMB2_SUPER_MAGIC
#define SMB2_SUPER_MAGIC 0xFE534D42
#endif
#ifndef CIFS_SUPER_MAGIC
#define CIFS_SUPER_MAGIC 0xFF534D42
#endif

static int result(int returned)
{
    return returned < 0 ? -errno : returned;
}

int fs_open_dir(int at, const char *name)
{
    return result(openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
}

int fs_open_passage(int at, const char *name)
{
    const int dir = fs_open_dir(at, name);
    return dir == -EACCES ? result(openat(at, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)) : dir;
}

/* The kernel refuses links on the way, and ways out of `at`, by itself. */
static int open_below_whole(int at, const char *parent, const char *name, int flags)
{
    char path[NAME_MAX * 2 + 2];
    const struct open_how how = {.flags = (unsigned)flags, .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS};
    if (snprintf(path, sizeof path, "%s/%s", parent, name) >= (int)sizeof path)
        return -ENAMETOOLONG;
    return result((int)syscall(SYS_openat2, at, path, &how, sizeof how));
}

static int open_below(int at, const char *parent, const char *name, int flags)
{
    int file = open_below_whole(at, parent, name, flags);
    if (file != -ENOSYS && file != -EPERM)
        return file;
    const int dir = fs_open_passage(at, parent);
    if (dir < 0)
        return dir;
    file = result(openat(dir, name, flags));
    close(dir);
    return file;
}

int fs_open_dir_below(int at, const char *parent, const char *name)
{
    return open_below(at, parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

int fs_open_passage_below(int at, const char *parent, const char *name)
{
    const int dir = fs_open_dir_below(at, parent, name);
    return dir == -EACCES ? open_below(at, parent, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC) : dir;
}

int fs_open_shared_below(int at, const char *parent, const char *name, bool writable)
{
    const int access = writable ? O_RDWR : O_RDONLY;
    return open_below(at, parent, name, access | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
}

static int make_parents(const char *path)
{
    char prefix[4096];
    const size_t length = strlen(path);
    if (length >= sizeof prefix)
        return -ENAMETOOLONG;
    for (size_t end = 1; end <= length; end++) {
        if (path[end] != '/' && path[end] != '\0')
            continue;
        memcpy(prefix, path, end);
        prefix[end] = '\0';
        const int error = fs_make_dir(AT_FDCWD, prefix);
        if (error && error != -EEXIST && error != -EROFS && error != -EACCES)
            return error;
    }
    return 0;
}

/* An administrator may let users go through a spool and not list it. */
static int open_root(const char *path)
{
    const int dir = result(open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    return dir == -EACCES ? result(open(path, O_PATH | O_DIRECTORY | O_CLOEXEC)) : dir;
}

int fs_open_root(const char *path, bool make)
{
    const int dir = open_root(path);
    if (dir != -ENOENT || !make)
        return dir;
    const int error = make_parents(path);
    return error ? error : open_root(path);
}

static int open_regular(int at, const char *name, int flags, struct stat *ret_status)
{
    const int file = openat(at, name, flags | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, FS_FILE_MODE);
    if (file < 0)
        return errno == ELOOP || errno == ENXIO ? -EBADMSG : -errno;
    const int error = result(fstat(file, ret_status));
    if (!error && S_ISREG(ret_status->st_mode))
        return file;
    close(file);
    return error ? error : -EBADMSG;
}

int fs_open_file(int at, const char *name)
{
    struct stat status;
    return open_regular(at, name, O_RDONLY, &status);
}

int fs_open_append(int at, const char *name, mode_t mode)
{
    struct stat status = {0};
    const int file = open_regular(at, name, O_RDWR | O_APPEND | O_CREAT, &status);
    if (file < 0)
        return file;
    if (status.st_nlink > 1) {
        close(file);
        return -EBADMSG;
    }
    if (status.st_size == 0 && (status.st_mode & 0777) != mode)
        (void)fs_set_mode(file, mode); /* somebody else who made it does so himself */
    return file;
}

/* Whatever the umask is, a file that was just made for FS_FILE_MODE has the mode that it is to have. */
static int give_mode(int file, mode_t mode)
{
    struct stat status;
    if (mode == FS_FILE_MODE && fstat(file, &status) == 0 && (status.st_mode & 0777) == mode)
        return 0;
    return fs_set_mode(file, mode);
}

int fs_make_file(int at, const char *name, mode_t mode)
{
    const int file = result(openat(at, name, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, FS_FILE_MODE));
    const int error = file >= 0 ? give_mode(file, mode) : 0;
    if (!error)
        return file;
    fs_unlink(at, name);
    close(file);
    return error;
}

int fs_set_mode(int file, mode_t mode)
{
    return result(fchmod(file, mode));
}

/* No link is followed that somebody has put there meanwhile. One that cannot be opened, as after an unlucky umask, is
   reached by its name; where that takes /proc and there is none, nothing is. */
int fs_set_mode_at(int at, const char *name, mode_t mode)
{
    const int dir = fs_open_dir(at, name);
    if (dir == -EACCES)
        return result(fchmodat(at, name, mode, AT_SYMLINK_NOFOLLOW));
    const int error = dir < 0 ? dir : fs_set_mode(dir, mode);
    if (dir >= 0)
        close(dir);
    return error;
}

int fs_set_owner(int file, uid_t owner, gid_t group)
{
    return result(fchown(file, owner, group));
}

int fs_may(int at, const char *name, int bits)
{
    return result(faccessat(at, name, bits, AT_EACCESS));
}

int fs_make_dir(int at, const char *name)
{
    struct stat status;
    if (mkdirat(at, name, FS_DIR_MODE) < 0)
        return -errno;
    int error = result(fstatat(at, name, &status, AT_SYMLINK_NOFOLLOW));
    if (!error && (status.st_mode & 0777) != FS_DIR_MODE)
        error = fs_set_mode_at(at, name, FS_DIR_MODE);
    if (error)
        (void)fs_remove_dir(at, name);
    return error;
}

int fs_give_to_owner_of(int dir, const char *name)
{
    struct stat parent, child;
    if (fstat(dir, &parent) < 0 || fstatat(dir, name, &child, AT_SYMLINK_NOFOLLOW) < 0)
        return -errno;
    if (parent.st_uid == child.st_uid)
        return 0;
    return result(fchownat(dir, name, parent.st_uid, parent.st_gid, AT_SYMLINK_NOFOLLOW));
}

int fs_rename(int from, const char *name, int to, const char *new_name)
{
    if (renameat2(from, name, to, new_name, RENAME_NOREPLACE) == 0)
        return 0;
    if (errno != EINVAL && errno != ENOSYS)
        return -errno;
    return result(renameat(from, name, to, new_name));
}

int fs_rename_unique(int from, const char *name, int to, const char *new_name)
{
    const int error = fs_rename(from, name, to, new_name);
    if (error == -ENOENT && fs_is_network(to) && fs_exists(to, new_name))
        return 0;
    return error;
}

int fs_replace(int from, const char *name, int to, const char *new_name)
{
    return result(renameat(from, name, to, new_name));
}

int fs_exchange(int from, const char *name, int to, const char *other)
{
    return result(renameat2(from, name, to, other, RENAME_EXCHANGE));
}

int fs_link(int from, const char *name, int to, const char *new_name)
{
    return result(linkat(from, name, to, new_name, 0));
}

int fs_make_symlink(int at, const char *name, const char *text)
{
    return result(symlinkat(text, at, name));
}

int fs_read_symlink(int at, const char *name, char *ret_text, size_t size)
{
    const ssize_t length = readlinkat(at, name, ret_text, size);
    if (length < 0)
        return -errno;
    if ((size_t)length >= size)
        return -EBADMSG;
    ret_text[length] = '\0';
    return 0;
}

int fs_unlink(int at, const char *name)
{
    return result(unlinkat(at, name, 0));
}

int fs_remove_dir(int at, const char *name)
{
    const int error = result(unlinkat(at, name, AT_REMOVEDIR));
    return error == -EEXIST ? -ENOTEMPTY : error;
}

int fs_sync_data(int file)
{
    return result(fdatasync(file));
}

int fs_sync(int file)
{
    return result(fsync(file));
}

int fs_sync_passage(int passage, int inside)
{
    const int error = fs_sync(passage);
    return error == -EBADF ? fs_sync_around(inside) : error;
}

int fs_sync_around(int file)
{
    return result(syncfs(file));
}

bool fs_is_persisted(int dir)
{
    struct stat status;
    return fstat(dir, &status) == 0 && (status.st_mode & S_ISUID) != 0;
}

int fs_persist_dir(int parent, int dir)
{
    struct stat status;
    const int error = fs_sync_passage(parent, dir);
    if (error < 0)
        return error;
    /* Only the owner can mark it; for others the parent is synced again next time. */
    if (fstat(dir, &status) == 0)
        (void)fchmod(dir, (status.st_mode & 07777) | S_ISUID);
    return 0;
}

int fs_has(int at, const char *name)
{
    if (faccessat(at, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
        return 1;
    return errno == ENOENT ? 0 : -errno;
}

int fs_identify(int dir, struct fs_identity *ret_identity)
{
    struct stat status;
    if (fstat(dir, &status) < 0)
        return -errno;
    *ret_identity = (struct fs_identity){.device = status.st_dev, .number = status.st_ino};
    return 0;
}

int fs_is_named(int at, const char *name, const struct fs_identity *identity)
{
    struct stat status;
    if (fstatat(at, name, &status, AT_SYMLINK_NOFOLLOW) < 0)
        return errno == ENOENT ? 0 : -errno;
    return status.st_dev == identity->device && status.st_ino == identity->number;
}

bool fs_exists(int at, const char *name)
{
    return fs_has(at, name) == 1;
}

static int set_mode_of_draft(const struct fs_draft *draft, mode_t mode)
{
    const int error = give_mode(draft->file, mode);
    if (error)
        close(draft->file);
    return error;
}

int fs_draft_open(struct fs_draft *draft, int at, const char *tmp, mode_t mode)
{
    draft->tmp = -1;
    draft->file = openat(at, tmp, O_TMPFILE | O_RDWR | O_NOFOLLOW | O_CLOEXEC, FS_FILE_MODE);
    if (draft->file >= 0)
        return set_mode_of_draft(draft, mode);
    if (errno != EOPNOTSUPP && errno != EISDIR && errno != EINVAL)
        return -errno;
    return fs_draft_open_named(draft, at, tmp, mode);
}

int fs_draft_open_named(struct fs_draft *draft, int at, const char *tmp, mode_t mode)
{
    draft->tmp = fs_open_passage(at, tmp);
    if (draft->tmp < 0)
        return draft->tmp;
    snprintf(draft->name, sizeof draft->name, "%016" PRIx64, id_random());
    draft->file = fs_make_file(draft->tmp, draft->name, mode);
    if (draft->file < 0)
        close(draft->tmp);
    return draft->file < 0 ? draft->file : 0;
}

static bool is_gone(int dir)
{
    struct stat status;
    return fstat(dir, &status) == 0 && status.st_nlink == 0;
}

/* In a directory that nothing may be put into link(2) fails as on a file system that has no links. */
static bool is_immutable(int dir)
{
    struct statx status;
    return statx(dir, "", AT_EMPTY_PATH, 0, &status) == 0 &&
           status.stx_attributes & (STATX_ATTR_IMMUTABLE | STATX_ATTR_APPEND);
}

static int link_named(const struct fs_draft *draft, int dir, const char *name)
{
    const int error = result(linkat(draft->tmp, draft->name, dir, name, 0));
    return error == -EPERM && !is_immutable(dir) ? -EOPNOTSUPP : error;
}

int fs_draft_link(const struct fs_draft *draft, int dir, const char *name)
{
    if (draft->tmp >= 0)
        return link_named(draft, dir, name);
    /* By descriptor where the kernel lets us, else through /proc. */
    if (linkat(draft->file, "", dir, name, AT_EMPTY_PATH) == 0)
        return 0;
    if (errno != ENOENT && errno != EINVAL && errno != EPERM)
        return -errno;
    char path[32];
    snprintf(path, sizeof path, "/proc/self/fd/%d", draft->file);
    const int error = result(linkat(AT_FDCWD, path, dir, name, AT_SYMLINK_FOLLOW));
    return error && error != -EEXIST && error != -ENOSPC && error != -EDQUOT && !is_gone(dir) ? -ENXIO : error;
}

void fs_draft_close(struct fs_draft *draft)
{
    close(draft->file);
    if (draft->tmp < 0)
        return;
    fs_unlink(draft->tmp, draft->name);
    close(draft->tmp);
}

void fs_start_sync(int file)
{
    (void)sync_file_range(file, 0, 0, SYNC_FILE_RANGE_WRITE);
}

int fs_sync_ahead(int file, enum fs_order *order)
{
    const unsigned write_back = SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE | SYNC_FILE_RANGE_WAIT_AFTER;
    if (*order == FS_ORDER_UNKNOWN)
        *order = journal_keeps_order(file) ? FS_ORDER_KEPT : FS_ORDER_NOT_KEPT;
    if (*order == FS_ORDER_KEPT) {
        const int error = result(sync_file_range(file, 0, 0, write_back));
        if (error != -ENOSYS)
            return error;
    }
    const int error = fs_sync_data(file);
    return error ? error : 1;
}

int fs_write_all(int file, const void *data, size_t size)
{
    return fs_write_parts(file, &(struct iovec){(void *)(uintptr_t)data, size}, 1);
}

/* Leave out what was written. */
static void step_over(struct iovec **part, int *count, size_t written)
{
    for (; *count > 0 && written >= (*part)->iov_len; (*part)++, (*count)--)
        written -= (*part)->iov_len;
    if (*count > 0)
        **part = (struct iovec){(char *)(*part)->iov_base + written, (*part)->iov_len - written};
}

int fs_write_parts(int file, struct iovec *parts, int count)
{
    step_over(&parts, &count, 0);
    while (count > 0) {
        const ssize_t written = writev(file, parts, count);
        if (written < 0 && errno == EINTR)
            continue;
        if (written <= 0)
            return written < 0 ? -errno : -EIO;
        step_over(&parts, &count, (size_t)written);
    }
    return 0;
}

/* Who gave us the descriptor may share it with others who never wait. */
static int wait_for_input(int file)
{
    const int ready = poll(&(struct pollfd){.fd = file, .events = POLLIN}, 1, -1);
    return ready < 0 && errno != EINTR ? -errno : 0;
}

ssize_t fs_read_full(int file, void *buffer, size_t size)
{
    size_t have = 0;
    while (have < size) {
        const ssize_t got = read(file, (char *)buffer + have, size - have);
        if (got == 0)
            break;
        if (got > 0) {
            have += (size_t)got;
            continue;
        }
        const int error = errno == EAGAIN ? wait_for_input(file) : errno == EINTR ? 0 : -errno;
        if (error)
            return error;
    }
    return (ssize_t)have;
}

/* A regular file gives less than was asked for at its end only. */
ssize_t fs_read_at(int file, void *buffer, size_t size, uint64_t offset)
{
    ssize_t got;
    do
        got = pread(file, buffer, size, (off_t)offset);
    while (got < 0 && errno == EINTR);
    return got < 0 ? -errno : got;
}

int fs_make_fifo(int at, const char *name, mode_t mode)
{
    char hidden[NAME_MAX];
    snprintf(hidden, sizeof hidden, ".%s", name);
    if (mkfifoat(at, hidden, FS_FILE_MODE) < 0)
        return -errno;
    const int flags = O_RDWR | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC;
    int fifo = result(openat(at, hidden, flags));
    if (fifo == -EACCES && fchmodat(at, hidden, FS_FILE_MODE, AT_SYMLINK_NOFOLLOW) == 0) /* the umask */
        fifo = result(openat(at, hidden, flags));
    int error = fifo >= 0 ? give_mode(fifo, mode) : 0;
    if (!error)
        error = fifo < 0 ? fifo : fs_rename(at, hidden, at, name);
    if (!error)
        return fifo;
    fs_unlink(at, hidden);
    if (fifo >= 0)
        close(fifo);
    return error;
}

#define FIFO_FLAGS (O_NONBLOCK | O_NOFOLLOW | O_NOCTTY | O_CLOEXEC)

/* What is open under the name is looked at each time: another user may have put something else there meanwhile. */
static int check_fifo(int fifo)
{
    struct stat status;
    if (fifo < 0 || (fstat(fifo, &status) == 0 && S_ISFIFO(status.st_mode)))
        return fifo;
    close(fifo);
    return -EBADMSG;
}

int fs_open_fifo(int at, const char *name)
{
    return check_fifo(result(openat(at, name, O_WRONLY | FIFO_FLAGS)));
}

int fs_open_fifo_below(int at, const char *parent, const char *name)
{
    return check_fifo(open_below(at, parent, name, O_WRONLY | FIFO_FLAGS));
}

int fs_open_own_fifo(int at, const char *name)
{
    return check_fifo(result(openat(at, name, O_RDWR | FIFO_FLAGS)));
}

bool fs_has_name(int file)
{
    struct stat status;
    return fstat(file, &status) == 0 && status.st_nlink > 0;
}

static unsigned char entry_type(int dir, const struct dirent64 *entry)
{
    struct stat status;
    if (entry->d_type != DT_UNKNOWN)
        return entry->d_type;
    if (fstatat(dir, entry->d_name, &status, AT_SYMLINK_NOFOLLOW) < 0)
        return DT_REG; /* gone, or not to be looked at: whoever opens it will see */
    return (unsigned char)IFTODT(status.st_mode);
}

static bool is_dot(const char *name)
{
    return name[0] == '.' && (name[1] == '\0' || (name[1] == '.' && name[2] == '\0'));
}

int fs_list(int dir, fs_list_fn *each, void *context)
{
    _Alignas(struct dirent64) char buffer[32768];
    for (;;) {
        const ssize_t filled = getdents64(dir, buffer, sizeof buffer);
        if (filled <= 0)
            return filled < 0 && errno != ENOENT ? -errno : 0; /* ENOENT: the directory was removed */
        for (ssize_t at = 0; at < filled;) {
            const struct dirent64 *entry = (const struct dirent64 *)(const void *)(buffer + at);
            at += entry->d_reclen;
            if (is_dot(entry->d_name))
                continue;
            const int stop = each(context, entry->d_name, entry_type(dir, entry));
            if (stop)
                return stop;
        }
    }
}

int fs_list_at(int at, const char *name, fs_list_fn *each, void *context)
{
    const int dir = fs_open_dir(at, name);
    if (dir < 0)
        return dir;
    const int returned = fs_list(dir, each, context);
    close(dir);
    return returned;
}

/* inotify takes paths only; that of an open descriptor cannot be led astray. */
int fs_watch_dir(int inotify, int dir, uint32_t events)
{
    char path[32];
    snprintf(path, sizeof path, "/proc/self/fd/%d", dir);
    return result(inotify_add_watch(inotify, path, events | IN_ONLYDIR));
}

bool fs_is_network(int dir)
{
    struct statfs status;
    if (fstatfs(dir, &status) < 0)
        return false;
    switch ((unsigned long)status.f_type & 0xFFFFFFFFUL) {
    case NFS_SUPER_MAGIC:
    case CIFS_SUPER_MAGIC:
    case SMB2_SUPER_MAGIC:
    case SMB_SUPER_MAGIC:
    case CEPH_SUPER_MAGIC:
    case AFS_SUPER_MAGIC:
    case V9FS_MAGIC:
    case FUSE_SUPER_MAGIC:
    case CODA_SUPER_MAGIC:
        return true;
    default:
        return false;
    }
}
