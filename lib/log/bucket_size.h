/*
 * How many bytes the files of buckets have, at a cost that does not grow with their number.
 *
 * A bucket behind which another one has begun does not change any more. Its size is noted in sizes/ then, and beside it the
 * sum of those before it. Notes are hints, and go with the bucket.
 */
#ifndef MQ_BUCKET_SIZE_H
#define MQ_BUCKET_SIZE_H

#include <stdint.h>

/* Of all buckets from `from`, which is there, to `last`, which the end of the log is in. */
int bucket_size_sum(int dir, uint64_t from, uint64_t last, uint64_t *ret_bytes);

/* The bucket was taken out of the log, or exchanged. */
void bucket_size_forget(int dir, uint64_t bucket);

#endif
