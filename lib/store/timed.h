/* Directories ordered by time: what lies in them before a moment, and when the next is due. */
#ifndef MQ_TIMED_H
#define MQ_TIMED_H

#include "format/name.h"
#include "mq.h"

/* One message whose time has come. A non-zero return ends the walk and is returned. */
typedef int timed_visit_fn(void *context, int bucket_dir, const char *file, const struct message_name *name);

/*
 * Visit what lies in `state` with a time of at most `until`, oldest bucket first, and remove the buckets
 * of the past that are empty. `ret_next` gets the earliest later time that was seen, or INT64_MAX;
 * it is a bucket's beginning where that was not looked into.
 */
int timed_walk(int queue_dir, enum mq_state state, int64_t until, timed_visit_fn *visit, void *context,
               int64_t *ret_next);

#endif
