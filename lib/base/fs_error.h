/*
 * The error of a call of the file system that has just failed, as a negative errno.
 *
 *     if (fstatat(dir, name, &status, AT_SYMLINK_NOFOLLOW) < 0)
 *         return fs_error();
 *
 * On a network file system a directory or file that another host has removed is a stale handle: it is gone, as one that
 * is not found.
 */
#ifndef MQ_FS_ERROR_H
#define MQ_FS_ERROR_H

#include <errno.h>

static inline int fs_error(void)
{
    return errno == ESTALE ? -ENOENT : -errno;
}

/* The same where it is no error that the file is gone: 0 then. */
static inline int fs_error_unless_gone(void)
{
    return errno == ENOENT || errno == ESTALE ? 0 : -errno;
}

#endif
