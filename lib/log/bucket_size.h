/* How many bytes the files of a bucket have. */
#ifndef MQ_BUCKET_SIZE_H
#define MQ_BUCKET_SIZE_H

#include <stdbool.h>
#include <stdint.h>

/* `is_complete`: a bucket behind it has entries. -ENOENT: it is not in the log. */
int bucket_size(int dir, uint64_t bucket, bool is_complete, uint64_t *ret_bytes);

/* The bucket was taken out of the log. */
void bucket_size_forget(int dir, uint64_t bucket);

#endif
