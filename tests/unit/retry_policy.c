/* The retry policy: doubling, at random within bounds, never over the maximum, and given up in time. */
#include "store/retry_policy.h"

#include "unit.h"

int main(void)
{
    struct config config;
    config_default(&config);
    config.retry_delay = 1000;
    config.retry_max_delay = 10000;

    for (uint64_t random = 0; random < 5000; random += 7) {
        const int64_t first = retry_policy_delay(&config, 1, random), third = retry_policy_delay(&config, 3, random);
        EXPECT(first >= 1000 && first < 2000);
        EXPECT(third >= 4000 && third < 8000);
        EXPECT(retry_policy_delay(&config, 4, random) <= 10000 && retry_policy_delay(&config, 4, random) >= 8000);
        EXPECT(retry_policy_delay(&config, 1000000, random) == 10000);
    }
    EXPECT(retry_policy_delay(&config, 2, 0) != retry_policy_delay(&config, 2, 1234));

    config.retry_delay = INT64_MAX / 3;
    config.retry_max_delay = INT64_MAX;
    EXPECT(retry_policy_delay(&config, 60, UINT64_MAX) > 0);

    config.max_attempts = 3;
    EXPECT(!retry_policy_is_over(&config, &(struct message_name){.attempts = 2}) &&
           retry_policy_is_over(&config, &(struct message_name){.attempts = 3}));
    config.max_attempts = 0;
    EXPECT(!retry_policy_is_over(&config, &(struct message_name){.attempts = 1000000}));
    struct message_name name = {.attempts = 2};
    EXPECT(name_set_max_attempts(&name, 2) && name_max_attempts(&name) == 2 && retry_policy_is_over(&config, &name));
    EXPECT(name_mark_retried(&name) && name_set_max_attempts(&name, 1000000) && name_max_attempts(&name) == 1000000);
    EXPECT(!retry_policy_is_over(&config, &name) && name_may_have_failed(MQ_INFLIGHT, &name));
    EXPECT(name_set_max_attempts(&name, 0) && name_max_attempts(&name) == 0);
    return unit_failures != 0;
}
