/* Locks on the numbers of buckets. */
#include "log/bucket_lock.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

static int lock(int file, short type, off_t start, off_t length)
{
    struct flock wanted = {.l_type = type, .l_whence = SEEK_SET, .l_start = start, .l_len = length};
    if (fcntl(file, F_OFD_SETLK, &wanted) == 0)
        return 0;
    return errno == EACCES ? -EAGAIN : -errno;
}

int bucket_lock(int file, uint64_t bucket, short type)
{
    return lock(file, type, (off_t)bucket, 1);
}

int bucket_lock_all(int file)
{
    return lock(file, F_WRLCK, 0, 0);
}
