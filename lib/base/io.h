/*
 * Reading and writing all bytes that were asked for, even if signals interrupt or the kernel transfers less at a time.
 *
 *     error = io_write_all(file, text, size);
 *     got = io_read_full(file, buffer, size);       got < size: the file ended
 *
 * Errors. Each call returns a negative errno on failure. How much was transferred before is then unknown. EINTR is
 * never returned. A write to a pipe without a reader raises SIGPIPE.
 */
#ifndef MQ_IO_H
#define MQ_IO_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <sys/uio.h>

int io_write_all(int file, const void *data, size_t size);

/* Write several parts with as few system calls as possible. The call modifies the array. */
int io_write_parts(int file, struct iovec *parts, int count);

/* Read up to `size` bytes, and return how many: fewer only at the end of the file. Waits for input even if the
   descriptor is non-blocking. */
ssize_t io_read_full(int file, void *buffer, size_t size);

/* The same from `offset` on, for regular files. */
ssize_t io_read_at(int file, void *buffer, size_t size, uint64_t offset);

#endif
