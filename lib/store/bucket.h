/*
 * Buckets: the small directories that a state's messages lie in.
 *
 * A bucket may be removed by anybody who finds it empty, at any time, and is made again by whoever needs it.
 */
#ifndef MQ_BUCKET_H
#define MQ_BUCKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mq.h"

/* Names of one directory, sorted as bytes. Zeroed at first; reading again reuses its memory. */
struct listing {
    char *text;
    size_t text_size, text_room;
    size_t *offsets;
    size_t count, room;
};

static inline const char *listing_at(const struct listing *listing, size_t index)
{
    return listing->text + listing->offsets[index];
}

int listing_add(struct listing *listing, const char *name);
void listing_sort(struct listing *listing);
void listing_free(struct listing *listing);

/* The names of a state's buckets, in order. */
int bucket_list(int queue_dir, enum mq_state state, struct listing *listing);

/* The names of the messages in a bucket, in order; what is not a message is passed over. `bucket_dir` must be
   freshly opened. */
int bucket_read(int bucket_dir, enum mq_state state, struct listing *listing);

/* The same, and the names of what is not a message, in order. */
int bucket_read_all(int bucket_dir, enum mq_state state, struct listing *listing, struct listing *others);

/* Whether an error of opening a bucket says that there is none: it was removed, or the name is something else's. */
bool bucket_is_missing(int error);

/* Open a bucket. -ENOENT: there is none. */
int bucket_open(int queue_dir, enum mq_state state, const char *bucket);

/* Open a bucket, made where it is missing; on a full disk the state's reserve, where it has one. -ENOENT: the
   queue is gone. */
int bucket_make(int queue_dir, unsigned sharing, enum mq_state state, const char *bucket);

/* Open the inbox as somebody who may only put something in. */
int bucket_open_inbox(int queue_dir);

/* Make the reserves of a new queue's states: without them a claim would need room that a full disk does not have. */
int bucket_make_reserves(int queue_dir, unsigned sharing);

/* Remove a bucket if it is empty. 1 removed, 0 it is not empty or was gone. */
int bucket_remove(int queue_dir, enum mq_state state, const char *bucket);

/* Make the bucket's own name durable, unless it is known to be. */
int bucket_persist(int queue_dir, enum mq_state state, int bucket_dir);

#endif
