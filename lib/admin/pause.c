/* Pausing queues. */
#include <errno.h>

#include "base/clock.h"
#include "queue/bell.h"
#include "queue/queue.h"

_Static_assert(MQ_PAUSE_RECEIVE == CONFIG_PAUSED_RECEIVE && MQ_PAUSE_SEND == CONFIG_PAUSED_SEND, "the same bits");

/* Each process reads the configuration again when the page says so. The bell wakes a receiver that waits, and whoever has
   got a message wakes the next one. */
static int set(mq_queue *queue, unsigned add, unsigned remove)
{
    static const char *const values[] = {NULL, "receive", "send", "all"};
    if ((add | remove) > (MQ_PAUSE_RECEIVE | MQ_PAUSE_SEND))
        return -EINVAL;
    queue->config_read_at = clock_monotonic() - CLOCK_SECOND * 2;
    int error = queue_refresh(queue);
    const unsigned paused = (queue->config.paused | add) & ~remove;
    if (!error && paused != queue->config.paused)
        error = queue_configure(queue->spool, queue->name, "paused", values[paused]);
    if (error)
        return error;
    page_note_configured(queue->page);
    bell_ring(queue);
    return 0;
}

int mq_pause(mq_queue *queue, unsigned what)
{
    return set(queue, what, 0);
}

int mq_resume(mq_queue *queue, unsigned what)
{
    return set(queue, 0, what);
}
