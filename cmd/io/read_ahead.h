/*
 * Reading a file ahead: a thread of its own copies what comes next out of the page cache while what has come is worked
 * on. For who splits it and writes it on, that copy is two fifths of the whole.
 *
 * Only for files, which have all of it at once: what a pipe will bring nobody can know, and who fills it runs beside us
 * as it is.
 */
#ifndef AHEAD_H
#define AHEAD_H

#include <stddef.h>
#include <sys/types.h>

/* Before each block there is so much room for what was left of the one before, and behind it for a byte. */
#define AHEAD_FRONT ((size_t)128 << 10)

struct read_ahead;

/* Read blocks of so many bytes from here on. NULL: it is no file, there is too little left of it to be worth a thread,
   or no thread can be had. */
struct read_ahead *read_ahead_start(int fd, size_t block_size);

/* Wait for the next block, which can be written to. Its size, 0 at the end, or what read said. The block that was
   returned before remains as it is until read_ahead_reuse; blocks before that one are gone. */
ssize_t read_ahead_next(struct read_ahead *ahead, char **ret_block);

/* What was returned before the last block is not used any more: to be said once for each. */
void read_ahead_reuse(struct read_ahead *ahead);

void read_ahead_stop(struct read_ahead *ahead); /* NULL is fine */

#endif
