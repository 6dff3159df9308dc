/*
 * Whether a file system keeps the order of what is written to it: all that happens to names and sizes goes through one
 * journal, in the order in which it happened. Content that was written back before a link had its size and its place
 * noted in that journal before it; and no commit of a journal is on the disk before content that was written when it
 * began.
 *
 * xfs does. So does ext4 where it has a journal, and writes content in order with it, which its magic number does not
 * tell (ext2 and ext3 have the same): the kernel's list of its options does. Where they cannot be read it is taken for
 * one that does not, which costs time and nothing else.
 */
#ifndef MQ_JOURNAL_H
#define MQ_JOURNAL_H

#include <stdbool.h>

bool journal_keeps_order(int file);

#endif
