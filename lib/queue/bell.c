/* Waking a receiver that waits. */
#include "queue/bell.h"

#include <unistd.h>

#include "base/fs.h"
#include "base/fs_fifo.h"
#include "format/work_name.h"
#include "queue/fifo.h"
#include "queue/wait.h"

/* The bell has no reader: the leader is dead. */
static void ring_heir(mq_queue *queue, uint64_t leader)
{
    const int waiters = fs_open_dir(queue->dir, "waiters");
    if (waiters < 0)
        return;
    if (fifo_ring_follower(waiters) != 1)
        page_forget_leader(queue->page, leader);
    close(waiters);
}

void bell_ring(mq_queue *queue)
{
    if (wait_leads(queue->waiter)) /* then this process looks before it sleeps */
        return;
    /* A process that does not share the page cannot know whether anybody leads, and rings in any case. */
    const bool is_blind = queue_only_sends(queue) || page_is_private(queue->page);
    const uint64_t leader = is_blind ? 0 : page_leader(queue->page);
    if (!is_blind && leader == 0)
        return;
    const int bell = fs_open_fifo_below(queue->dir, "waiters", NAME_BELL);
    const bool rung = bell >= 0 && fifo_write(bell);
    if (bell >= 0)
        close(bell);
    if (!rung && leader != 0)
        ring_heir(queue, leader);
}
