/*
 * Buckets: the small directories that a state's messages lie in.
 *
 * Any process may remove a bucket that it finds empty, at any time, and a process that needs it makes it again.
 *
 *     error = bucket_walk(queue_dir, MQ_DEAD, visit, &context);      each message, in order
 *     error = bucket_each(queue_dir, MQ_DEAD, each, &context);       each bucket, open, for what else lies in it
 *     dir = bucket_make(queue_dir, sharing, MQ_READY, bucket);       to put a message in
 *
 * Errors are negative errno values. A walk passes over a bucket that was removed meanwhile, and ends with every other
 * error: what it has visited by then is not all.
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

/* ---- listings ------------------------------------------------------------------- */

/* The names of a state's buckets, in order. */
int bucket_list(int queue_dir, enum mq_state state, struct listing *listing);

/* The names of the messages in a bucket, in order; what is not a message is passed over. `bucket_dir` must be freshly
   opened. */
int bucket_read(int bucket_dir, enum mq_state state, struct listing *listing);

/* The same, and the names of what is not a message, in order. */
int bucket_read_all(int bucket_dir, enum mq_state state, struct listing *listing, struct listing *others);

/* ---- walks ---------------------------------------------------------------------- */

/* A bucket, as a walk comes to it. */
struct bucket {
    enum mq_state state;
    const char *name;
    int dir; /* freshly opened; closed by the walk, unless the visitor keeps it and leaves -1 here */
};

/* A visitor returns 0 to go on. Any other value ends the walk, which returns it; BUCKET_DONE only ends the bucket. */
typedef int bucket_fn(void *context, struct bucket *bucket);
#define BUCKET_DONE INT_MAX

/* Visit the buckets of a state, in order, those that are empty too. */
int bucket_each(int queue_dir, enum mq_state state, bucket_fn *each, void *context);
int bucket_each_last_first(int queue_dir, enum mq_state state, bucket_fn *each, void *context);

/* A message's file, as a walk comes to it. */
struct bucket_file {
    enum mq_state state;
    const char *bucket, *file;
    int dir; /* the open bucket */
    struct message_name name;
};

typedef int bucket_visit_fn(void *context, const struct bucket_file *file);

/* Visit the messages of a state, in order. A file may be gone when it is visited. */
int bucket_walk(int queue_dir, enum mq_state state, bucket_visit_fn *visit, void *context);

/* The same for one bucket. `listing` holds its files, and is reused from call to call. */
int bucket_visit(int queue_dir, enum mq_state state, const char *bucket, struct listing *listing,
                 bucket_visit_fn *visit, void *context);

/* ---- one bucket ----------------------------------------------------------------- */

/* Whether an error of bucket_open says that there is no bucket: it was removed, or something else has the name. */
bool bucket_is_missing(int error);

/* Open a bucket. -ENOENT: there is none. */
int bucket_open(int queue_dir, enum mq_state state, const char *bucket);

/* Open a bucket, which is made if it is missing; on a full disk open the reserve of the state if it has one. -ENOENT:
   the queue is gone. */
int bucket_make(int queue_dir, unsigned sharing, enum mq_state state, const char *bucket);

/* Open the inbox as a user who may only put something in. */
int bucket_open_inbox(int queue_dir);

/* Make the reserve buckets of a new queue. Without them a claim would need room that a full disk does not have. */
int bucket_make_reserves(int queue_dir, unsigned sharing);

/* Remove a bucket if it is empty. 1: removed; 0: it is not empty, or was gone already. */
int bucket_remove(int queue_dir, enum mq_state state, const char *bucket);

/* Make the bucket's own name durable, unless it is known to be durable. */
int bucket_persist(int queue_dir, enum mq_state state, int bucket_dir);

#endif
