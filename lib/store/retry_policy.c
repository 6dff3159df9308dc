/* When a failed message is tried again. */
#include "store/retry_policy.h"

bool retry_policy_is_over(const struct config *config, uint32_t attempts)
{
    return config->max_attempts != 0 && attempts >= config->max_attempts;
}

int64_t retry_policy_delay(const struct config *config, uint32_t attempts, uint64_t random)
{
    int64_t delay = config->retry_delay;
    for (uint32_t attempt = 1; attempt < attempts && delay < config->retry_max_delay; attempt++)
        delay = delay > INT64_MAX / 4 ? INT64_MAX / 4 : delay * 2;
    if (delay >= config->retry_max_delay)
        return config->retry_max_delay;
    delay += (int64_t)(random % (uint64_t)delay);
    return delay < config->retry_max_delay ? delay : config->retry_max_delay;
}
