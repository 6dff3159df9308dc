/* Reservations: places in a queue for messages that a sender is about to publish. */
#include "lifecycle/reservation.h"

#include <errno.h>
#include <poll.h>

#include "base/clock.h"
#include "lifecycle/expire.h"
#include "queue/depth.h"

/* Milliseconds between two looks at a full queue. */
#define FULL_POLL_FIRST 5
#define FULL_POLL_MAX 100

void reservation_make(mq_queue *queue, enum mq_state state, uint32_t count, struct reservation *reservation)
{
    if (reservation->count != 0 && reservation->openings == queue->openings)
        return;
    page_add_messages(queue->page, state, count);
    *reservation = (struct reservation){.state = state, .count = count, .openings = queue->openings};
}

void reservation_commit(struct reservation *reservation)
{
    reservation->count = 0;
}

void reservation_cancel(mq_queue *queue, struct reservation *reservation)
{
    if (reservation->openings == queue->openings)
        page_add_messages(queue->page, reservation->state, -(int64_t)reservation->count);
    reservation->count = 0;
}

/* The page counts the messages first. Then the sender looks whether the queue holds too many, with these messages. What
   the same transaction holds for the queue already counts too. */
static int make_within_depth(mq_queue *queue, enum mq_state state, uint32_t count, struct reservation *reservation)
{
    bool full = true;
    uint64_t taken = 0;
    reservation_make(queue, state, count, reservation);
    if (queue->config.max_depth == 0 || queue_only_sends(queue)) /* a process that may only send cannot count */
        return 0;
    int error = queue->outlet ? queue->outlet->count(queue->outlet, queue, &taken) : 0;
    if (!error && taken < queue->config.max_depth)
        error = depth_is_over(queue, queue->config.max_depth - taken, state, count, &full);
    if (error || full)
        reservation_cancel(queue, reservation);
    return error ? error : full ? -ENOBUFS : 0;
}

/* Sleep before the next look. 0: look again. -ENOBUFS: the time is up. -ECANCELED. */
static int wait_for_room(const struct mq_send_options *options, int64_t since, int *pause)
{
    if (options->block != MQ_FOREVER && clock_monotonic() - since >= options->block)
        return -ENOBUFS;
    struct pollfd cancel = {.fd = options->cancel_fd, .events = POLLIN};
    if (poll(&cancel, 1, *pause) > 0)
        return -ECANCELED;
    *pause = *pause * 2 < FULL_POLL_MAX ? *pause * 2 : FULL_POLL_MAX;
    return 0;
}

int reservation_wait(mq_queue *queue, enum mq_state state, uint32_t count, const struct mq_send_options *options,
                     struct reservation *reservation)
{
    const int64_t since = clock_monotonic();
    int pause = FULL_POLL_FIRST, error;
    while ((error = make_within_depth(queue, state, count, reservation)) == -ENOBUFS && options->block != 0) {
        error = wait_for_room(options, since, &pause);
        if (!error)
            error = queue_refresh(queue);
        if (!error)
            error = expire_all(queue, clock_now());
        if (error)
            break;
    }
    return error;
}
