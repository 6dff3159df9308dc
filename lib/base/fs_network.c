/* File systems that several hosts share. */
#include "base/fs_network.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/vfs.h>

/* Not in every version of the kernel's header. */
#ifndef SMB2_SUPER_MAGIC
#define SMB2_SUPER_MAGIC 0xFE534D42
#endif
#ifndef CIFS_SUPER_MAGIC
#define CIFS_SUPER_MAGIC 0xFF534D42
#endif
#define GFS2_SUPER_MAGIC 0x01161970
#define LUSTRE_SUPER_MAGIC 0x0BD00BD0
#define GPFS_SUPER_MAGIC 0x47504653

int fs_find_type(int file, unsigned long *ret_type)
{
    struct statfs status;
    while (fstatfs(file, &status) < 0)
        if (errno != EINTR)
            return -errno;
    *ret_type = (unsigned long)status.f_type;
    return 0;
}

bool fs_type_is_network(unsigned long type)
{
    switch (type & 0xFFFFFFFFUL) {
    case NFS_SUPER_MAGIC:
    case CIFS_SUPER_MAGIC:
    case SMB2_SUPER_MAGIC:
    case SMB_SUPER_MAGIC:
    case CEPH_SUPER_MAGIC:
    case AFS_SUPER_MAGIC:
    case V9FS_MAGIC:
    case FUSE_SUPER_MAGIC:
    case CODA_SUPER_MAGIC:
    case OCFS2_SUPER_MAGIC:
    case GFS2_SUPER_MAGIC:
    case LUSTRE_SUPER_MAGIC:
    case GPFS_SUPER_MAGIC:
        return true;
    default:
        return false;
    }
}

int fs_is_network(int dir)
{
    unsigned long type = 0;
    const int error = fs_find_type(dir, &type);
    return error ? error : fs_type_is_network(type);
}

bool fs_repeats_calls(int dir)
{
    unsigned long type = 0;
    if (fs_find_type(dir, &type) < 0)
        return false;
    switch (type & 0xFFFFFFFFUL) {
    case NFS_SUPER_MAGIC:
    case CIFS_SUPER_MAGIC:
    case SMB2_SUPER_MAGIC:
    case SMB_SUPER_MAGIC:
    case AFS_SUPER_MAGIC:
    case V9FS_MAGIC:
    case CODA_SUPER_MAGIC:
        return true;
    default:
        return false;
    }
}

bool fs_is_doubtful(int error)
{
    switch (-error) {
    case ENOENT:
    case EEXIST:
    case EIO:
    case EREMOTEIO:
    case ENOTCONN:
    case ECONNABORTED:
    case ECONNRESET:
    case ETIMEDOUT:
    case EINTR:
        return true;
    default:
        return false;
    }
}

static bool is_one_file(const struct stat *one, const struct stat *other)
{
    return one->st_dev == other->st_dev && one->st_ino == other->st_ino;
}

bool fs_has_this_name(int file, int dir, const char *name)
{
    struct stat own, named;
    return fstat(file, &own) == 0 && fstatat(dir, name, &named, AT_SYMLINK_NOFOLLOW) == 0 && is_one_file(&own, &named);
}

bool fs_have_one_file(int at, const char *name, int dir, const char *other)
{
    struct stat one, two;
    return fstatat(at, name, &one, AT_SYMLINK_NOFOLLOW) == 0 && fstatat(dir, other, &two, AT_SYMLINK_NOFOLLOW) == 0 &&
           is_one_file(&one, &two);
}
