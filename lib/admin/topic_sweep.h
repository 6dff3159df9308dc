/* Removing what processes that died have left in topics. */
#ifndef MQ_TOPIC_SWEEP_H
#define MQ_TOPIC_SWEEP_H

#include <stdint.h>

/* Remove drafts of messages and of bindings that have no writer any more: how many, or the first error. 0: the name is no
   topic's. */
int topic_sweep(int spool, const char *name, int64_t now);

/* If the time by which all that is judged is not known and 0, ask the directory for drafts for it. 0, or a negative errno. */
int topic_sweep_find_time(int at, const char *tmp, int64_t *now);

/* The drafts in a directory of `at` that no process can be writing any more. How many were removed. */
int topic_sweep_drafts(int at, const char *name, int64_t now);

/* Remove marks and drafts of what was sent once to what has its sent/ and tmp/ in the open directory. */
int topic_sweep_sent(int dir, unsigned sharing, int64_t dedup_window, int64_t now);

#endif
