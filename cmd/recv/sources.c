/* The queues that are received from. */
#include "recv/sources.h"

#include <stdlib.h>

#include "cli/cli.h"

mq_sources *sources_of(mq_queue *const *queues, size_t count, unsigned flags)
{
    mq_sources *sources = NULL;
    int error = mq_sources_new(flags, &sources);
    for (size_t i = 0; i < count && !error; i++)
        error = mq_sources_add(sources, queues[i]);
    return cli_must(error ? NULL : sources);
}

void sources_close(mq_queue **queues, size_t count)
{
    for (size_t i = 0; i < count; i++)
        mq_close(queues[i]);
    free(queues);
}
