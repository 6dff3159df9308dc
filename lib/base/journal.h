/*
 * Whether a file system keeps the order of what is written to it: all that happens to names and sizes goes through one
 * journal, in the order in which it happened. Content whose writing back has ended before a link had its size and its
 * place noted in that journal before the link. Content whose writing back has only been started had not: ext4 gives a
 * file its size at once and its content when the writing has ended (dioread_nolock), xfs gives it both then.
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
