/*
 * Whether a file system keeps the order of what is written to it: all that happens to names and sizes goes through one
 * journal, in the order in which it happened. Content that was written back before a link had its size and its place
 * noted in that journal before it; and no commit of a journal is on the disk before content that was written when it
 * began.
 *
 * xfs does. ext4 does if it has a journal and writes content in order with it. Its magic number does not tell, since
 * ext2 and ext3 have the same; the kernel's list of its options does. If that list cannot be read, the answer is no,
 * which costs only time.
 */
#ifndef MQ_JOURNAL_H
#define MQ_JOURNAL_H

#include <stdbool.h>

bool journal_keeps_order(int file);

#endif
