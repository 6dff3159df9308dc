/*
 * Whether a file system commits names and contents in order. Such a file system has one journal, which takes every
 * change of a name or a size in the order in which they happen. If content was written back before a link, the journal
 * has the file's size and blocks before the link; and no commit reaches the disk before the content that was written
 * back when the commit began.
 *
 * xfs keeps the order. ext4 keeps it if it has a journal and its option data= is "ordered" or "journal". The magic
 * number does not tell, since ext2 and ext3 have the same; the kernel's list of the options does. If that list cannot
 * be read, the answer is no, which costs only time.
 */
#ifndef MQ_JOURNAL_H
#define MQ_JOURNAL_H

#include <stdbool.h>

bool journal_keeps_order(int file);

#endif
