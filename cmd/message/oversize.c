/* Bodies that are too much for the memory, or the TMPDIR, at hand. */
#include "message/oversize.h"

#include "base/fs.h"
#include <errno.h>
#include <stdlib.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "cli/cli.h"
#include "io/temporary.h"

/* What there must be room for in any case. */
#define SMALL ((size_t)64 << 10)

/* Nothing is asked of the system for less. */
#define LARGE ((uint64_t)64 << 20)

/* JSON needs the body several times over. */
#define MEMORY_PARTS 8

static bool is_want_of_room(int error)
{
    return error == -ENOMEM || error == -ENOSPC || error == -EDQUOT || error == -EFBIG;
}

static bool has_room_for_a_small_one(void)
{
    char *small = calloc(1, SMALL);
    const int file = small ? temporary_open() : -ENOMEM;
    const int error = file < 0 ? file : fs_write_all(file, small, SMALL);
    if (file >= 0)
        close(file);
    free(small);
    return error == 0;
}

bool oversize_is_to_blame(int error, const mq_message *message)
{
    if (error == -EBADMSG)
        return true;
    return is_want_of_room(error) && mq_message_size(message) > SMALL && has_room_for_a_small_one();
}

const char *oversize_reason(int error)
{
    return error == -EBADMSG ? "it is cut short" : cli_reason(error);
}

int oversize_expect_memory(uint64_t size)
{
    const long pages = size > LARGE ? sysconf(_SC_PHYS_PAGES) : -1, page = sysconf(_SC_PAGESIZE);
    if (pages <= 0 || page <= 0)
        return 0;
    return size > (uint64_t)pages * (uint64_t)page / MEMORY_PARTS ? -ENOMEM : 0;
}

int oversize_expect_room(int file, uint64_t size)
{
    struct statvfs status;
    if (size <= LARGE || fstatvfs(file, &status) < 0)
        return 0;
    if (status.f_blocks == 0) /* of memory, without a limit */
        return oversize_expect_memory(size);
    return size / status.f_frsize >= status.f_bavail ? -ENOSPC : 0;
}
