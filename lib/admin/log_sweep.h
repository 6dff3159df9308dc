/* Removing from a log what is not to be kept, and what processes that died have left. */
#ifndef MQ_LOG_SWEEP_H
#define MQ_LOG_SWEEP_H

#include <stdint.h>

/* Sweep a log by its name in the spool. How many leftovers were removed; 0 too if there is no such log, or it is another
   user's. */
int log_sweep(int spool, const char *spool_path, const char *name, int64_t now);

#endif
