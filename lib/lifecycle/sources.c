/*
 * Receiving from several queues: the calls of mq.h.
 *
 * All waiters of an mq_sources share one inotify descriptor, since a user may have few of them.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/grow.h"
#include "lifecycle/receive.h"

struct mq_sources {
    mq_queue **queues;
    struct receive_queues receive;
    size_t queues_room, members_room, fds_room;
    int inotify;
    bool fair;
};

int mq_sources_new(unsigned flags, mq_sources **ret_sources)
{
    if (flags & ~MQ_FAIR)
        return -EINVAL;
    mq_sources *sources = calloc(1, sizeof *sources);
    if (!sources)
        return -ENOMEM;
    sources->inotify = -1;
    sources->fair = flags & MQ_FAIR;
    *ret_sources = sources;
    return 0;
}

void mq_sources_free(mq_sources *sources)
{
    if (!sources)
        return;
    if (sources->inotify >= 0)
        close(sources->inotify);
    free(sources->queues);
    free(sources->receive.members);
    free(sources->receive.fds);
    free(sources);
}

int mq_sources_add(mq_sources *sources, mq_queue *queue)
{
    struct receive_queues *receive = &sources->receive;
    const size_t count = receive->count + 1;
    for (size_t i = 0; i < receive->count; i++)
        if (strcmp(mq_queue_name(receive->queues[i]), mq_queue_name(queue)) == 0)
            return -EEXIST;
    if (!GROW(sources->queues, count, sources->queues_room) || !GROW(receive->members, count, sources->members_room) ||
        !GROW(receive->fds, WAIT_FDS(count), sources->fds_room))
        return -ENOMEM;
    sources->queues[receive->count] = queue;
    receive->queues = sources->queues;
    receive->count = count;
    /* One queue alone keeps its waiter's descriptor, also when it is received from by itself. */
    receive->inotify = count > 1 ? &sources->inotify : NULL;
    return 0;
}

mq_queue *mq_sources_queue(const mq_sources *sources)
{
    return sources->receive.count > 0 ? sources->queues[sources->receive.which] : NULL;
}

/* With MQ_FAIR the next one to be tried first is the one behind the queue that gave a message. */
static int received(mq_sources *sources, int got)
{
    if (got == 1 && sources->fair)
        sources->receive.first = (sources->receive.which + 1) % sources->receive.count;
    return got;
}

int mq_sources_receive(mq_sources *sources, const struct mq_receive_options *options, mq_message **ret_message)
{
    if (sources->receive.count == 0)
        return -EINVAL;
    return received(sources, receive_message(&sources->receive, options, ret_message));
}

int mq_sources_receive_batch(mq_sources *sources, const struct mq_receive_options *options, uint64_t most,
                             mq_batch *batch)
{
    if (sources->receive.count == 0)
        return -EINVAL;
    return received(sources, receive_batch(&sources->receive, options, most, batch));
}
