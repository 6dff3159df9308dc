/* When a failed message is tried again: policy alone, no I/O. */
#ifndef MQ_RETRY_H
#define MQ_RETRY_H

#include "store/config.h"

/* Whether so many attempts are all that the queue allows. */
bool retry_policy_is_over(const struct config *config, uint32_t attempts);

/*
 * How long to wait after the failure of attempt `attempts` (from 1): retry-delay, doubled for each
 * further attempt, up to as much again at random so that what failed together does not
 * return together, and never more than retry-max-delay.
 */
int64_t retry_policy_delay(const struct config *config, uint32_t attempts, uint64_t random);

#endif
