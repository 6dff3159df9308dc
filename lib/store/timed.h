/*
 * States that are ordered by time: visiting the messages up to a moment, and when the next one comes.
 *
 *     stop = timed_walk(queue_dir, MQ_DELAYED, now, make_ready, &context, &next);
 *
 * Errors are negative errno values.
 */
#ifndef MQ_TIMED_H
#define MQ_TIMED_H

#include "format/name.h"
#include "mq.h"

/* A message whose time has come. If this returns non-zero the walk ends and returns that. */
typedef int timed_visit_fn(void *context, int bucket_dir, const char *file, const struct message_name *name);

/*
 * Visit the messages of `state` whose time is at most `until`, the oldest bucket first, and remove empty buckets of the
 * past. `ret_next` is the earliest later time that was seen, or INT64_MAX. If the next message lies in a bucket that
 * was not read, it is the beginning of that bucket.
 */
int timed_walk(int queue_dir, enum mq_state state, int64_t until, timed_visit_fn *each, void *context,
               int64_t *ret_next);

#endif
