/* Where a log ends, found by its hint where there is one: at a cost that does not grow with the log. */
#ifndef MQ_LOG_END_H
#define MQ_LOG_END_H

#include <stdint.h>

#include "log/chain.h"
#include "log/hint.h"

/* The last entry, as chain_find_last. */
int log_find_tail(int dir, struct hint *hint, struct chain_last *ret_last);

/* The offset behind all entries, as chain_end. */
int log_find_end(int dir, struct hint *hint, uint64_t *ret_end);

#endif
