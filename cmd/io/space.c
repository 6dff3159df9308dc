/* Whether there is space for a large body. */
#include "io/space.h"

#include <errno.h>
#include <sys/statvfs.h>
#include <unistd.h>

/* The system is not asked about bodies up to this size. */
#define LARGE ((uint64_t)64 << 20)

/* JSON needs several copies of the body. A body may take this part of the memory. */
#define MEMORY_PARTS 8

int space_check_memory(uint64_t size)
{
    const long pages = size > LARGE ? sysconf(_SC_PHYS_PAGES) : -1, page = sysconf(_SC_PAGESIZE);
    if (pages <= 0 || page <= 0)
        return 0;
    return size > (uint64_t)pages * (uint64_t)page / MEMORY_PARTS ? -ENOMEM : 0;
}

int space_check_file(int file, uint64_t size)
{
    struct statvfs status;
    if (size <= LARGE || fstatvfs(file, &status) < 0)
        return 0;
    if (status.f_blocks == 0) /* a file system in memory, without a limit of its own */
        return space_check_memory(size);
    return size / status.f_frsize >= status.f_bavail ? -ENOSPC : 0;
}
