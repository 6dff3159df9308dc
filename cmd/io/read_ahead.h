/*
 * Reading a file ahead: a thread copies the next block out of the page cache while the caller works on the last one.
 * For a program that splits the input and writes it out, that copy is two fifths of the time.
 *
 * This is only for regular files. The writer of a pipe runs at the same time anyway.
 */
#ifndef READ_AHEAD_H
#define READ_AHEAD_H

#include <stddef.h>
#include <sys/types.h>

/* The room before each block, for the rest of the block before it. After each block there is room for one byte. */
#define AHEAD_FRONT ((size_t)128 << 10)

struct read_ahead;

/* Read blocks of this size from the present offset. NULL: it is no regular file, the rest of it is too short to be
   worth a thread, or no thread could be started. */
struct read_ahead *read_ahead_start(int fd, size_t block_size);

/* Wait for the next block, which may be written to. Returns its size, 0 at the end, or the error of read. The block
   returned before stays valid until read_ahead_reuse; earlier ones are no longer valid. */
ssize_t read_ahead_next(struct read_ahead *ahead, char **ret_block);

/* The block before the last one is no longer in use. Call this once for each block. */
void read_ahead_reuse(struct read_ahead *ahead);

void read_ahead_stop(struct read_ahead *ahead); /* NULL is fine */

#endif
