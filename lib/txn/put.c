/*
 * Files of the user's own in a transaction: a commit replaces the file by one rename.
 *
 * A symbolic link in the transaction says where the content belongs; it is made first, so that content without a link
 * is what a killed process left.
 */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/fs_draft.h"
#include "base/io.h"
#include "txn/transaction.h"

#define COPY_SIZE 65536

/* Where the file is to be: an absolute path without symbolic links, whose last part may not be there yet. */
static int resolve(const char *path, char ret_path[PATH_MAX])
{
    if (realpath(path, ret_path))
        return 0;
    if (errno != ENOENT)
        return -errno;
    char parent[PATH_MAX];
    const size_t length = strlen(path);
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
    if (length >= sizeof parent || !*name)
        return length >= sizeof parent ? -ENAMETOOLONG : -ENOENT;
    memcpy(parent, path, (size_t)(name - path));
    strcpy(parent + (name - path), ".");
    if (!realpath(parent, ret_path))
        return -errno;
    const size_t used = strlen(ret_path) == 1 ? 0 : strlen(ret_path);
    if (used + 1 + strlen(name) >= PATH_MAX)
        return -ENAMETOOLONG;
    ret_path[used] = '/';
    strcpy(ret_path + used + 1, name);
    return 0;
}

/* Whether the file can be replaced at all, and with which mode: its own, if it is there. */
static int examine(const mq_tx *tx, char *path, mode_t *mode)
{
    struct stat file, parent, own;
    char *const slash = strrchr(path, '/');
    if (lstat(path, &file) == 0) {
        if (!S_ISREG(file.st_mode))
            return S_ISDIR(file.st_mode) ? -EISDIR : -EINVAL;
        *mode = file.st_mode & 07777;
    } else if (errno != ENOENT) {
        return -errno;
    }
    *slash = '\0';
    const char *dir = slash == path ? "/" : path;
    int error = stat(dir, &parent) < 0 || fstat(tx->dir, &own) < 0 || access(dir, W_OK | X_OK) < 0 ? fs_error() : 0;
    *slash = '/';
    if (!error && parent.st_dev != own.st_dev)
        error = -EXDEV;
    return error;
}

static int copy(int from, int to)
{
    char *buffer = malloc(COPY_SIZE);
    ssize_t got = buffer ? 1 : -ENOMEM;
    while (got > 0) {
        got = io_read_full(from, buffer, COPY_SIZE);
        const int error = got > 0 ? io_write_all(to, buffer, (size_t)got) : 0;
        if (error)
            got = error;
    }
    free(buffer);
    return (int)got;
}

static int link_both(mq_tx *tx, const struct fs_draft *draft, const char *path)
{
    char target[NAME_SIZE], content[NAME_SIZE];
    struct outbox_entry entry = {.kind = OUTBOX_TARGET};
    int error = -EEXIST;
    while (error == -EEXIST) {
        entry.number = transaction_number(tx);
        outbox_format_entry(&entry, target);
        error = fs_make_symlink(tx->dir, target, path);
    }
    if (error)
        return error == -ENOENT ? -ESTALE : error;
    entry.kind = OUTBOX_FILE;
    outbox_format_entry(&entry, content);
    error = fs_draft_link(draft, tx->dir, content);
    if (error)
        (void)fs_unlink(tx->dir, target);
    return error == -ENOENT ? -ESTALE : error;
}

int mq_tx_put(mq_tx *tx, int fd, const char *path, mode_t mode)
{
    char whole[PATH_MAX];
    struct fs_draft draft;
    int error = resolve(path, whole);
    if (!error)
        error = examine(tx, whole, &mode);
    if (error)
        return error;
    error = fs_draft_open_named(&draft, tx->dir, ".", mode);
    if (error)
        return error == -ENOENT ? -ESTALE : error;
    error = copy(fd, draft.file);
    if (!error) {
        const int synced = fs_sync_ahead(draft.file, &(struct fs_order){.kept = FS_ORDER_UNKNOWN});
        error = synced < 0 ? synced : 0;
    }
    if (!error)
        error = link_both(tx, &draft, whole);
    fs_draft_close(&draft);
    tx->is_durable |= !error;
    return error;
}
