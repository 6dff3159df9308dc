/* Reservations: places in a queue for messages that a sender is about to publish. */
#include "lifecycle/reservation.h"

#include <errno.h>
#include <poll.h>

#include "base/clock.h"
#include "lifecycle/expire.h"
#include "lifecycle/overflow.h"
#include "queue/depth.h"

/* Milliseconds between two looks at a full queue. */
#define FULL_POLL_FIRST 5
#define FULL_POLL_MAX 100

void reservation_make(mq_queue *queue, const struct reservation_wish *wish, struct reservation *reservation)
{
    if (reservation->count != 0 && reservation->openings == queue->openings)
        return;
    page_add_messages(queue->page, wish->state, wish->count);
    if (wish->state != MQ_DEAD)
        page_add_waiting(queue->page, (int64_t)wish->bytes);
    *reservation = (struct reservation){
        .state = wish->state, .count = wish->count, .bytes = wish->bytes, .openings = queue->openings};
}

void reservation_commit(struct reservation *reservation)
{
    reservation->count = 0;
}

void reservation_cancel(mq_queue *queue, struct reservation *reservation)
{
    if (reservation->count > 0 && reservation->openings == queue->openings) {
        page_add_messages(queue->page, reservation->state, -(int64_t)reservation->count);
        if (reservation->state != MQ_DEAD)
            page_add_waiting(queue->page, -(int64_t)reservation->bytes);
    }
    reservation->count = 0;
}

/* What is left of a limit. False: nothing is. */
static bool take_from(uint64_t limit, uint64_t taken, int64_t *ret_left)
{
    *ret_left = (int64_t)(limit > taken ? limit - taken : 0);
    return limit == 0 || *ret_left > 0;
}

/* What the same transaction holds for the queue already counts too. */
static int is_full(mq_queue *queue, const struct reservation_wish *wish, bool *ret_full)
{
    const struct config *config = &queue->config;
    const struct depth_own own = {wish->state, wish->count, (int64_t)wish->bytes};
    struct outlet_load taken = {0};
    struct depth_limits limits;
    struct depth_excess excess = {0};
    int error = queue->outlet && queue->outlet->count ? queue->outlet->count(queue->outlet, queue, &taken) : 0;
    *ret_full = !take_from(config->max_depth, taken.messages, &limits.messages) ||
                !take_from(config->max_bytes, taken.bytes, &limits.bytes);
    if (!error && !*ret_full)
        error = depth_find_excess(queue, &limits, &own, false, &excess);
    *ret_full |= excess.messages > 0 || excess.bytes > 0;
    return error;
}

/* The page counts the messages first; then the sender looks whether the queue, with them, holds too many. */
static int make_within_limits(mq_queue *queue, const struct reservation_wish *wish, struct reservation *reservation)
{
    bool full;
    const struct config *config = &queue->config;
    if (config->max_bytes > 0 && wish->count == 1 && wish->bytes > config->max_bytes)
        return -EOVERFLOW;
    if (queue->config.paused & CONFIG_PAUSED_SEND)
        return -ESHUTDOWN;
    if (overflow_ends_oldest(queue))
        return 0;
    reservation_make(queue, wish, reservation);
    if (wish->state == MQ_DEAD)
        return 0;
    if ((config->max_depth == 0 && config->max_bytes == 0) ||
        queue_only_sends(queue)) /* a process that may only send cannot count */
        return 0;
    const int error = is_full(queue, wish, &full);
    if (error || full)
        reservation_cancel(queue, reservation);
    return error ? error : full ? -ENOBUFS : 0;
}

/* Sleep before the next look, because of `error`. 0: look again. `error`: the time is up. -ECANCELED. */
static int wait_for_room(const struct mq_send_options *options, int64_t since, int *pause, int error)
{
    if (options->block != MQ_FOREVER && clock_monotonic() - since >= options->block)
        return error;
    struct pollfd cancel = {.fd = options->cancel_fd, .events = POLLIN};
    if (poll(&cancel, 1, *pause) > 0)
        return -ECANCELED;
    *pause = *pause * 2 < FULL_POLL_MAX ? *pause * 2 : FULL_POLL_MAX;
    return 0;
}

int reservation_wait(mq_queue *queue, const struct reservation_wish *wish, const struct mq_send_options *options,
                     struct reservation *reservation)
{
    const int64_t since = clock_monotonic();
    int pause = FULL_POLL_FIRST, error;
    while (error = make_within_limits(queue, wish, reservation),
           (error == -ENOBUFS || error == -ESHUTDOWN) && options->block != 0) {
        error = wait_for_room(options, since, &pause, error);
        if (!error)
            error = queue_refresh(queue);
        if (!error)
            error = expire_all(queue, queue_now(queue));
        if (error)
            break;
    }
    return error;
}
