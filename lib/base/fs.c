/* The file system: the only calls of rename, link, unlink, rmdir and fsync. */
#include "base/fs.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/fs_network.h"
#include "base/journal.h"

static int result(int returned)
{
    return returned < 0 ? fs_error() : returned;
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

/* Open in one system call. The kernel refuses a path that leads through a symbolic link or out of `at`. */
static int open_at_once(int at, const char *parent, const char *name, int flags)
{
    char path[NAME_MAX * 2 + 2];
    const struct open_how how = {.flags = (unsigned)flags, .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS};
    if (snprintf(path, sizeof path, "%s/%s", parent, name) >= (int)sizeof path)
        return -ENAMETOOLONG;
    return result((int)syscall(SYS_openat2, at, path, &how, sizeof how));
}

int fs_open_below(int at, const char *parent, const char *name, int flags)
{
    int file = open_at_once(at, parent, name, flags);
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
    return fs_open_below(at, parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

int fs_open_passage_below(int at, const char *parent, const char *name)
{
    const int dir = fs_open_dir_below(at, parent, name);
    return dir == -EACCES ? fs_open_below(at, parent, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC) : dir;
}

int fs_open_shared_below(int at, const char *parent, const char *name, bool writable)
{
    const int access = writable ? O_RDWR : O_RDONLY;
    return fs_open_below(at, parent, name, access | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
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

/* The administrator may have made a spool that users can search but not list. */
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

#define REGULAR (O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC)

/* Some things that are not regular files cannot be opened. `file` is what opening returned. */
static int blame_opening(int file)
{
    return file == -ELOOP || file == -ENXIO ? -EBADMSG : file;
}

static int check_regular(int file, struct stat *ret_status)
{
    if (file < 0)
        return blame_opening(file);
    const int error = result(fstat(file, ret_status));
    if (!error && S_ISREG(ret_status->st_mode))
        return file;
    close(file);
    return error ? error : -EBADMSG;
}

static int open_regular(int at, const char *name, int flags, struct stat *ret_status)
{
    return check_regular(result(openat(at, name, flags | REGULAR, FS_FILE_MODE)), ret_status);
}

int fs_open_file(int at, const char *name)
{
    struct stat status;
    return open_regular(at, name, O_RDONLY, &status);
}

int fs_open_unchecked(int at, const char *name)
{
    return blame_opening(result(openat(at, name, O_RDONLY | REGULAR)));
}

int fs_open_unchecked_below(int at, const char *parent, const char *name)
{
    return blame_opening(fs_open_below(at, parent, name, O_RDONLY | REGULAR));
}

int fs_must_be_regular(int file)
{
    struct stat status;
    return check_regular(file, &status);
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
        (void)fs_set_mode(file, mode); /* fails if another user made the file; that user sets its mode */
    return file;
}

int fs_override_umask(int file, mode_t mode)
{
    struct stat status;
    if (mode == FS_FILE_MODE && fstat(file, &status) == 0 && (status.st_mode & 0777) == mode)
        return 0;
    return fs_set_mode(file, mode);
}

int fs_make_file(int at, const char *name, mode_t mode)
{
    const int file = result(openat(at, name, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, FS_FILE_MODE));
    const int error = file >= 0 ? fs_override_umask(file, mode) : 0;
    if (!error)
        return file;
    fs_unlink(at, name);
    close(file);
    return error;
}

/* 1: done, with the usual mode; 0: the umask has changed the mode, and nothing is there. */
static int make_usual(int at, const char *name)
{
    struct stat status;
    int done = result(mknodat(at, name, S_IFREG | FS_FILE_MODE, 0));
    if (done)
        return done;
    if (fstatat(at, name, &status, AT_SYMLINK_NOFOLLOW) < 0)
        done = fs_error();
    else if ((status.st_mode & 07777) == FS_FILE_MODE)
        return 1;
    fs_unlink(at, name);
    return done;
}

/* A mode is set by descriptor, since another process may put a link to another file under the name. What needs none costs
   two calls. */
int fs_make_empty(int at, const char *name, mode_t mode)
{
    const int done = mode == FS_FILE_MODE ? make_usual(at, name) : 0;
    const int file = done == 0 ? fs_make_file(at, name, mode) : -1;
    if (file >= 0)
        close(file);
    return done < 0 ? done : done == 0 && file < 0 ? file : 0;
}

int fs_make_unnamed(int at, const char *dir, mode_t mode)
{
    const int file = result(openat(at, dir, O_TMPFILE | O_RDWR | O_NOFOLLOW | O_CLOEXEC, FS_FILE_MODE));
    const int error = file >= 0 ? fs_override_umask(file, mode) : 0;
    if (!error)
        return file;
    close(file);
    return error;
}

int fs_set_mode(int file, mode_t mode)
{
    return result(fchmod(file, mode));
}

/* The mode is set by descriptor, so that no symbolic link is followed if another process puts one there meanwhile. A
   directory that the umask made unreadable cannot be opened, so its mode is set by name. That fails if the C library
   needs /proc for it and /proc is not mounted. */
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
        return fs_error();
    int error = result(fstatat(at, name, &status, AT_SYMLINK_NOFOLLOW));
    if (!error && (status.st_mode & 0777) != FS_DIR_MODE)
        error = fs_set_mode_at(at, name, FS_DIR_MODE);
    if (error)
        (void)fs_remove_dir(at, name);
    return error;
}

int fs_has_other_owner(int dir, const char *name)
{
    struct stat parent, child;
    if (fstat(dir, &parent) < 0 || fstatat(dir, name, &child, AT_SYMLINK_NOFOLLOW) < 0)
        return fs_error();
    return parent.st_uid != child.st_uid;
}

int fs_give_to_owner_of(int dir, const char *name)
{
    struct stat parent, child;
    if (fstat(dir, &parent) < 0 || fstatat(dir, name, &child, AT_SYMLINK_NOFOLLOW) < 0)
        return fs_error();
    if (parent.st_uid == child.st_uid)
        return 0;
    return result(fchownat(dir, name, parent.st_uid, parent.st_gid, AT_SYMLINK_NOFOLLOW));
}

int fs_rename(int from, const char *name, int to, const char *new_name)
{
    if (renameat2(from, name, to, new_name, RENAME_NOREPLACE) == 0)
        return 0;
    if (errno != EINVAL && errno != ENOSYS)
        return fs_error();
    return result(renameat(from, name, to, new_name));
}

int fs_rename_strictly(int from, const char *name, int to, const char *new_name)
{
    if (renameat2(from, name, to, new_name, RENAME_NOREPLACE) == 0)
        return 0;
    return errno == EINVAL || errno == ENOSYS ? -EOPNOTSUPP : fs_error();
}

int fs_rename_unique(int from, const char *name, int to, const char *new_name)
{
    const int error = fs_rename(from, name, to, new_name);
    if (!fs_is_doubtful(error) || !fs_repeats_calls(to))
        return error;
    const int has = fs_has(to, new_name), had = error == -ENOENT ? 0 : fs_has(from, name);
    return has == 1 && had == 0 ? 0 : has < 0 && error == -ENOENT ? has : error;
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

int fs_link_unique(int from, const char *name, int to, const char *new_name)
{
    const int error = fs_link(from, name, to, new_name);
    const bool may_be_done = error && fs_is_doubtful(error) && fs_repeats_calls(to);
    return may_be_done && fs_have_one_file(from, name, to, new_name) ? 0 : error;
}

static bool is_removed(int dir)
{
    struct stat status;
    return fstat(dir, &status) == 0 && status.st_nlink == 0;
}

int fs_link_unnamed(int file, int dir, const char *new_name)
{
    char path[32];
    if (linkat(file, "", dir, new_name, AT_EMPTY_PATH) == 0)
        return 0;
    if (errno != ENOENT && errno != EINVAL && errno != EPERM)
        return fs_error();
    /* Older kernels allow AT_EMPTY_PATH only to root. Other users can link by the path in /proc. */
    snprintf(path, sizeof path, "/proc/self/fd/%d", file);
    const int error = result(linkat(AT_FDCWD, path, dir, new_name, AT_SYMLINK_FOLLOW));
    return error && error != -EEXIST && error != -ENOSPC && error != -EDQUOT && !is_removed(dir) ? -ENXIO : error;
}

int fs_make_symlink(int at, const char *name, const char *text)
{
    return result(symlinkat(text, at, name));
}

int fs_read_symlink(int at, const char *name, char *ret_text, size_t size)
{
    const ssize_t length = readlinkat(at, name, ret_text, size);
    if (length < 0)
        return fs_error();
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
    /* Only the owner can set the mark. Without it the next caller syncs the parent again. */
    if (fstat(dir, &status) == 0)
        (void)fchmod(dir, (status.st_mode & 07777) | S_ISUID);
    return 0;
}

int fs_has(int at, const char *name)
{
    if (faccessat(at, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
        return 1;
    return fs_error_unless_gone();
}

int fs_identify(int dir, struct fs_identity *ret_identity)
{
    struct stat status;
    if (fstat(dir, &status) < 0)
        return fs_error();
    *ret_identity = (struct fs_identity){
        .device = status.st_dev, .number = status.st_ino, .owner = status.st_uid, .group = status.st_gid};
    return 0;
}

int fs_is_named(int at, const char *name, const struct fs_identity *identity)
{
    struct stat status;
    if (fstatat(at, name, &status, AT_SYMLINK_NOFOLLOW) < 0)
        return fs_error_unless_gone();
    return status.st_dev == identity->device && status.st_ino == identity->number;
}

bool fs_exists(int at, const char *name)
{
    return fs_has(at, name) == 1;
}

void fs_start_sync(int file)
{
    (void)sync_file_range(file, 0, 0, SYNC_FILE_RANGE_WRITE);
}

static bool is_kept(int file, struct fs_order *order)
{
    const int error = order->type ? 0 : fs_find_type(file, &order->type);
    return !error && journal_of_type_keeps_order(order->type, file);
}

int fs_sync_ahead(int file, struct fs_order *order)
{
    const unsigned write_back = SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE | SYNC_FILE_RANGE_WAIT_AFTER;
    if (order->kept == FS_ORDER_UNKNOWN)
        order->kept = is_kept(file, order) ? FS_ORDER_KEPT : FS_ORDER_NOT_KEPT;
    if (order->kept == FS_ORDER_KEPT) {
        const int error = result(sync_file_range(file, 0, 0, write_back));
        if (error != -ENOSYS)
            return error;
    }
    const int error = fs_sync_data(file);
    return error ? error : 1;
}

bool fs_has_name(int file)
{
    struct stat status;
    return fstat(file, &status) == 0 && status.st_nlink > 0;
}

/* inotify takes only paths. The path of an open descriptor in /proc leads to the same directory whatever happens to its
   name. */
int fs_watch_file(int inotify, int file, uint32_t events)
{
    char path[32];
    snprintf(path, sizeof path, "/proc/self/fd/%d", file);
    return result(inotify_add_watch(inotify, path, events));
}

int fs_watch_dir(int inotify, int dir, uint32_t events)
{
    return fs_watch_file(inotify, dir, events | IN_ONLYDIR);
}
