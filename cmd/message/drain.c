/* The progress of a program that empties queues. */
#include "message/drain.h"

#include "cli/cli.h"

static uint64_t count_ready(const struct drain *drain)
{
    uint64_t ready = 0;
    for (size_t i = 0; i < drain->count; i++) {
        struct mq_stats stats;
        if (mq_stat(drain->queues[i], false, &stats) == 0)
            ready += stats.count[MQ_READY];
    }
    return ready;
}

void drain_update(const struct drain *drain, uint64_t done, uint64_t running)
{
    if (!drain->progress)
        return;
    const uint64_t all = progress_is_due(drain->progress) ? done + running + count_ready(drain) : done;
    progress_update(drain->progress, done, done, drain->most && drain->most < all ? drain->most : all);
}

bool drain_say_paused(const struct drain *drain)
{
    bool any = false;
    for (size_t i = 0; i < drain->count; i++)
        any |= cli_say_paused(drain->queues[i]);
    return any;
}
