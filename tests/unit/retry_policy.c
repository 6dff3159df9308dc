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
    EXPECT(!retry_policy_is_over(&config, 2) && retry_policy_is_over(&config, 3));
    config.max_attempts = 0;
    EXPECT(!retry_policy_is_over(&config, 1000000));
    return unit_failures != 0;
}
