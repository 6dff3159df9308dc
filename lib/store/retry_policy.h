/* The retry policy: when a failed message is tried again. No I/O. */
#ifndef MQ_RETRY_POLICY_H
#define MQ_RETRY_POLICY_H

#include "format/name.h"
#include "store/config.h"

/* Whether a message has had as many attempts as it may, by what it says itself or by the queue's configuration. */
bool retry_policy_is_over(const struct config *config, const struct message_name *name);

/*
 * How long to wait after attempt number `attempts` (from 1) has failed: retry-delay, doubled for each further attempt.
 * A random part of it, up to the whole, is added, so that messages that failed together do not return together. It is
 * never more than retry-max-delay.
 */
int64_t retry_policy_delay(const struct config *config, uint32_t attempts, uint64_t random);

#endif
