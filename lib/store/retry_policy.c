/* When a failed message is tried again. */
#include "store/retry_policy.h"

bool retry_policy_is_over(const struct config *config, const struct message_name *name)
{
    const uint32_t own = name_max_attempts(name);
    const uint64_t most = own ? own : config->max_attempts;
    return most != 0 && name->attempts >= most;
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
