/*
 * Whether a file system commits names and contents in order. Such a file system has one journal, which takes every
 * change of a name or a size in the order in which they happen. If the writing back of content has ended before a link,
 * the journal has the file's size and blocks before the link. To have started it is not enough: ext4 gives a file its
 * size at once and its content when the writing has ended (dioread_nolock), xfs gives it both then.
 *
 * xfs keeps the order. ext4 keeps it if it has a journal and its option data= is "ordered" or "journal". The magic
 * number does not tell, since ext2 and ext3 have the same; the kernel's list of the options does. If that list cannot
 * be read, the answer is no, which costs only time.
 */
#ifndef MQ_JOURNAL_H
#define MQ_JOURNAL_H

#include <stdbool.h>

bool journal_keeps_order(int file);

/* The same if the type is known (fs_network.h). */
bool journal_of_type_keeps_order(unsigned long type, int file);

#endif
