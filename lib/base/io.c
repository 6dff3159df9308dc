/* Reading and writing all bytes that were asked for. */
#include "base/io.h"

#include <errno.h>
#include <poll.h>
#include <unistd.h>

#include "base/fs_error.h"

int io_write_all(int file, const void *data, size_t size)
{
    return io_write_parts(file, &(struct iovec){(void *)(uintptr_t)data, size}, 1);
}

/* Drop the first `written` bytes of the parts. */
static void step_over(struct iovec **part, int *count, size_t written)
{
    for (; *count > 0 && written >= (*part)->iov_len; (*part)++, (*count)--)
        written -= (*part)->iov_len;
    if (*count > 0)
        **part = (struct iovec){(char *)(*part)->iov_base + written, (*part)->iov_len - written};
}

int io_write_parts(int file, struct iovec *parts, int count)
{
    step_over(&parts, &count, 0);
    while (count > 0) {
        const ssize_t written = writev(file, parts, count);
        if (written < 0 && errno == EINTR)
            continue;
        if (written <= 0)
            return written < 0 ? fs_error() : -EIO;
        step_over(&parts, &count, (size_t)written);
    }
    return 0;
}

/* The descriptor may be non-blocking because another process that shares it has made it so. */
static int wait_for_input(int file)
{
    const int ready = poll(&(struct pollfd){.fd = file, .events = POLLIN}, 1, -1);
    return ready < 0 && errno != EINTR ? -errno : 0;
}

ssize_t io_read_full(int file, void *buffer, size_t size)
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

/* pread of a regular file returns less than was asked for only at the end of the file. */
ssize_t io_read_at(int file, void *buffer, size_t size, uint64_t offset)
{
    ssize_t got;
    do
        got = pread(file, buffer, size, (off_t)offset);
    while (got < 0 && errno == EINTR);
    return got < 0 ? fs_error() : got;
}
