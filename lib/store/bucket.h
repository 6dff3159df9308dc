/*
 * Buckets: the small directories that a state's messages lie in.
 *
 * Any process may remove a bucket that it finds empty, at any time, and a process that needs it makes it again.
 */
#ifndef MQ_BUCKET_H
#define MQ_BUCKET_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "format/name.h"
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

/* Add a name; sort what was added. */
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

/* A message's file, as a walk comes to it. */
struct bucket_file {
    enum mq_state state;
    const char *bucket, *file;
    int dir; /* the open bucket */
    struct message_name name;
};

/* Any value but 0 ends the walk, which returns it; BUCKET_DONE only ends the bucket. */
typedef int bucket_visit_fn(void *context, const struct bucket_file *file);
#define BUCKET_DONE INT_MAX

/* Visit the messages of a state, in order. A bucket that is removed in the meantime is passed over; a file may be gone
   when it is visited. */
int bucket_walk(int queue_dir, enum mq_state state, bucket_visit_fn *visit, void *context);

/* The same for one bucket. `listing` holds its files, and is reused from call to call. */
int bucket_visit(int queue_dir, enum mq_state state, const char *bucket, struct listing *listing,
                 bucket_visit_fn *visit, void *context);

/* Whether an error of opening a bucket says that there is none: it was removed, or the name is something else's. */
bool bucket_is_missing(int error);

/* Open a bucket. -ENOENT: there is none. */
int bucket_open(int queue_dir, enum mq_state state, const char *bucket);

/* Open a bucket, made where it is missing; on a full disk the state's reserve, where it has one. -ENOENT: the
   queue is gone. */
int bucket_make(int queue_dir, unsigned sharing, enum mq_state state, const char *bucket);

/* Open the inbox as a user who may only put something in. */
int bucket_open_inbox(int queue_dir);

/* Make the reserves of a new queue's states: without them a claim would need room that a full disk does not have. */
int bucket_make_reserves(int queue_dir, unsigned sharing);

/* Remove a bucket if it is empty. 1 removed, 0 it is not empty or was gone. */
int bucket_remove(int queue_dir, enum mq_state state, const char *bucket);

/* Make the bucket's own name durable, unless it is known to be. */
int bucket_persist(int queue_dir, enum mq_state state, int bucket_dir);

#endif
