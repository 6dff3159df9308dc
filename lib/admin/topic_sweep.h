/* Removing what processes that died have left in topics. */
#ifndef MQ_TOPIC_SWEEP_H
#define MQ_TOPIC_SWEEP_H

#include <stdint.h>

/* Remove drafts of messages and of bindings that have no writer any more: how many, or the first error. 0: the name is no
   topic's. */
int topic_sweep(int spool, const char *name, int64_t now);

#endif
