/* How many messages a queue holds. */
#include "queue/depth.h"

#include <poll.h>

#include "base/clock.h"
#include "store/census.h"

/* How often a recount is tried. A queue in which something moves during every one is counted by a later sweep. */
#define RECOUNTS 5

/* Longer than a live process takes between moving a message and counting it. */
#define SETTLING_MILLISECONDS 20

static int add_page(void *context, const struct page *page)
{
    struct depth_totals *totals = context;
    for (int state = 0; state < MQ_STATES; state++)
        totals->count[state] = page_sum(totals->count[state], page_messages(page, (enum mq_state)state));
    totals->bytes = page_sum(totals->bytes, page_bytes(page));
    for (int counter = 0; counter < PAGE_COUNTERS; counter++)
        totals->counters[counter] += page_counter(page, (enum page_counter)counter);
    for (int rate = 0; rate < PAGE_RATES; rate++)
        for (int span = 0; span < MQ_SPANS; span++)
            totals->rates[rate][span] += page_rate(page, (enum page_rate)rate, (enum mq_span)span, totals->now);
    for (int bucket = 0; bucket < MQ_HELD_BUCKETS; bucket++)
        totals->held[bucket] += page_held(page, bucket);
    totals->held_total += page_held_total(page);
    return 0;
}

int depth_add_up(mq_queue *queue, struct depth_totals *ret_totals)
{
    *ret_totals = (struct depth_totals){.now = clock_now()};
    add_page(ret_totals, queue->page);
    return queue_each_other_page(queue, add_page, ret_totals);
}

/* ---- full? ----------------------------------------------------------------------- */

static int count_waiting(mq_queue *queue, int64_t limit, int64_t *ret_count)
{
    int64_t ready, delayed;
    if (queue->config.order) {
        struct census census;
        const int wrong = census_queue(queue->dir, true, &census);
        if (!wrong)
            *ret_count = census.count[MQ_READY] + census.count[MQ_DELAYED];
        return wrong;
    }
    int error = census_count(queue->dir, MQ_READY, limit, &ready);
    if (!error)
        error = census_count(queue->dir, MQ_DELAYED, limit, &delayed);
    if (!error)
        *ret_count = ready + delayed;
    return error;
}

int depth_is_over(mq_queue *queue, uint64_t limit, enum mq_state state, unsigned own, bool *ret_over)
{
    struct depth_totals totals;
    int64_t counted;
    int error = depth_add_up(queue, &totals);
    if (error)
        return error;
    *ret_over = depth_not_negative(page_sum(totals.count[MQ_READY], totals.count[MQ_DELAYED])) > limit;
    if (!*ret_over || !page_take_recount(queue->page, clock_now()))
        return 0;
    /* A process that is killed leaves the counters wrong; the queue must not stay full because of that. */
    error = count_waiting(queue, (int64_t)limit, &counted);
    if (!error && (uint64_t)counted + own <= limit) {
        *ret_over = false;
        error = depth_recount(queue);
        if (error == 1)
            page_add_messages(queue->page, state, own); /* the directories do not hold the sender's own yet */
    }
    return error < 0 ? error : 0;
}

/* ---- correcting the counters ------------------------------------------------------ */

/* Every move of a message changes one of these. */
static bool same_totals(const struct depth_totals *one, const struct depth_totals *other)
{
    for (int state = 0; state < MQ_STATES; state++)
        if (one->count[state] != other->count[state])
            return false;
    for (int counter = 0; counter < PAGE_COUNTERS; counter++)
        if (one->counters[counter] != other->counters[counter])
            return false;
    return one->bytes == other->bytes;
}

/* Whether the counters are right already. Then nobody need wait for other processes to finish. */
static bool agree(const struct depth_totals *totals, const struct census *census)
{
    for (int state = 0; state < MQ_STATES; state++)
        if (totals->count[state] != census->count[state])
            return false;
    return totals->bytes == census->bytes;
}

static void correct(struct page *page, const struct depth_totals *totals, const struct census *census)
{
    for (int state = 0; state < MQ_STATES; state++)
        page_add_messages(page, (enum mq_state)state, page_difference(census->count[state], totals->count[state]));
    page_add_bytes(page, page_difference(census->bytes, totals->bytes));
}

int depth_recount(mq_queue *queue)
{
    for (int tries = 0; tries < RECOUNTS; tries++) {
        struct depth_totals before, after;
        struct census census;
        int error = depth_add_up(queue, &before);
        if (!error)
            error = census_queue(queue->dir, queue->config.order != CONFIG_UNORDERED, &census);
        if (error)
            return error;
        if (agree(&before, &census))
            return 0;
        (void)poll(NULL, 0, SETTLING_MILLISECONDS);
        error = depth_add_up(queue, &after);
        if (error)
            return error;
        if (same_totals(&before, &after)) {
            correct(queue->page, &before, &census);
            return 1;
        }
    }
    return 0;
}
