/*
 * Locks on the numbers of buckets, in the file `hold` of a log: a byte for each, by open file description, never waited for.
 *
 * Whoever links into a bucket has its number for reading; whoever empties a bucket that was taken out of the log has it for
 * writing. So no name in a bucket becomes free while somebody may link to it. A descriptor must not be shared with a child
 * process, and one process uses two if it does both.
 */
#ifndef MQ_BUCKET_LOCK_H
#define MQ_BUCKET_LOCK_H

#include <stdint.h>

/* F_RDLCK, F_WRLCK or F_UNLCK. -EAGAIN: another process has a lock that excludes it. */
int bucket_lock(int file, uint64_t bucket, short type);

/* The number of every bucket, for writing: nobody can append. */
int bucket_lock_all(int file);

#endif
