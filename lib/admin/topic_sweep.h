/* Removing what processes that died have left in topics. */
#ifndef MQ_TOPIC_SWEEP_H
#define MQ_TOPIC_SWEEP_H

#include <stdint.h>

/* Remove drafts of messages and of bindings that have no writer any more: how many, or the first error. 0: the name is no
   topic's. */
int topic_sweep(int spool, const char *name, int64_t now);

/* The drafts in a directory of `at` that no process can be writing any more. How many were removed. */
int topic_sweep_drafts(int at, const char *name, int64_t now);

#endif
