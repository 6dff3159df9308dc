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

int sources_open(char *const *names, size_t count, unsigned flags, mq_queue ***ret_queues)
{
    mq_queue **queues = cli_must(calloc(count, sizeof(mq_queue *)));
    int status = STATUS_DONE;
    for (size_t i = 0; i < count && status == STATUS_DONE; i++)
        status = cli_open(names[i], flags, &queues[i]);
    *ret_queues = queues;
    return status;
}

void sources_close(mq_queue **queues, size_t count)
{
    for (size_t i = 0; i < count; i++)
        mq_close(queues[i]);
    free(queues);
}
