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

struct ahead;

/* Read blocks of so many bytes from here on. NULL: it is no file, there is too little left of it to be worth a thread,
   or no thread can be had. */
struct ahead *ahead_start(int fd, size_t block_size);

/* Wait for the next block, which can be written to. Its size, 0 at the end, or what read said. The block that was
   returned before remains as it is until ahead_reuse; blocks before that one are gone. */
ssize_t ahead_next(struct ahead *ahead, char **ret_block);

/* What was returned before the last block is not used any more: to be said once for each. */
void ahead_reuse(struct ahead *ahead);

void ahead_stop(struct ahead *ahead); /* NULL is fine */

#endif
