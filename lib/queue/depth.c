/* How many messages a queue holds. */
#include "queue/depth.h"

#include <poll.h>
#include <unistd.h>

#include "base/clock.h"
#include "store/outbox_dir.h"
#include "store/spool.h"

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
    totals->waiting = page_sum(totals->waiting, page_waiting(page));
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
    *ret_totals = (struct depth_totals){.now = queue_now(queue)};
    add_page(ret_totals, queue->page);
    return queue_each_other_page(queue, add_page, ret_totals);
}

/* ---- full? ----------------------------------------------------------------------- */

/* The head of a lane lies there also while it is in flight, so an ordered queue is counted as a whole. */
static int count_ordered(const mq_queue *queue, int64_t *ret_count, int64_t *ret_bytes)
{
    struct census census;
    bool unseen;
    const int error = depth_take_census(queue, &census, &unseen);
    if (error)
        return error;
    *ret_count = census.count[MQ_READY] + census.count[MQ_DELAYED];
    *ret_bytes = census.waiting;
    return 0;
}

static int count_waiting(const mq_queue *queue, bool with_bytes, int64_t *ret_count, int64_t *ret_bytes)
{
    int64_t ready, delayed;
    if (queue->config.order)
        return count_ordered(queue, ret_count, ret_bytes);
    if (with_bytes)
        return census_waiting(queue->dir, ret_count, ret_bytes);
    int error = census_count(queue->dir, MQ_READY, INT64_MAX, &ready);
    if (!error)
        error = census_count(queue->dir, MQ_DELAYED, INT64_MAX, &delayed);
    if (!error)
        *ret_count = ready + delayed;
    return error;
}

static void find_excess(const struct depth_limits *limits, int64_t messages, int64_t bytes, struct depth_excess *excess)
{
    excess->messages = limits->messages > 0 && messages > limits->messages ? messages - limits->messages : 0;
    excess->bytes = limits->bytes > 0 && bytes > limits->bytes ? bytes - limits->bytes : 0;
}

static bool any(const struct depth_excess *excess)
{
    return excess->messages > 0 || excess->bytes > 0;
}

/* The counters say that the queue is over its limits. A process that is killed leaves them wrong; the queue must not stay
   full because of that. */
static int count_excess(mq_queue *queue, const struct depth_limits *limits, const struct depth_own *own,
                        struct depth_excess *excess)
{
    int64_t messages, bytes = 0;
    int error = count_waiting(queue, limits->bytes > 0, &messages, &bytes);
    if (error)
        return error;
    find_excess(limits, messages + own->messages, page_sum(bytes, own->bytes), excess);
    excess->counted = true;
    if (any(excess))
        return 0;
    error = depth_recount(queue);
    if (error == 1 && own->messages > 0) { /* the directories do not hold the sender's own yet */
        page_add_messages(queue->page, own->state, own->messages);
        page_add_waiting(queue->page, own->bytes);
    }
    return error < 0 ? error : 0;
}

int depth_find_excess(mq_queue *queue, const struct depth_limits *limits, const struct depth_own *own, bool count,
                      struct depth_excess *ret_excess)
{
    struct depth_totals totals;
    *ret_excess = (struct depth_excess){0};
    const int error = depth_add_up(queue, &totals);
    if (error)
        return error;
    find_excess(limits, page_sum(totals.count[MQ_READY], totals.count[MQ_DELAYED]), totals.waiting, ret_excess);
    if (!any(ret_excess) || (!page_take_recount(queue->page, queue_now(queue)) && !count))
        return 0;
    return count_excess(queue, limits, own, ret_excess);
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

/* Whether the counters are right already. Then nobody need wait for other processes to finish. The bytes of what waits are
   looked at only where something depends on them. */
static bool agree(const mq_queue *queue, const struct depth_totals *totals, const struct census *census)
{
    if (queue->config.max_bytes > 0 && totals->waiting != census->waiting)
        return false;
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
    page_add_waiting(page, page_difference(census->waiting, totals->waiting));
}

/* What transactions hold of the queue lies in none of its directories, and the pages count it where it was. */
int depth_take_census(const mq_queue *queue, struct census *ret_census, bool *ret_unseen)
{
    struct outbox_hidden hidden = {0};
    int error = census_queue(queue->dir, queue->config.order != CONFIG_UNORDERED, ret_census);
    const int spool = error ? error : spool_open(queue->spool, false);
    if (spool < 0)
        return spool;
    error = outbox_count_hidden(spool, queue->name, queue->dir, access_is_shared(queue->sharing), &hidden);
    close(spool);
    ret_census->count[MQ_INFLIGHT] += (int64_t)hidden.claims;
    ret_census->count[MQ_READY] -= (int64_t)hidden.ready;
    ret_census->count[MQ_DELAYED] -= (int64_t)hidden.delayed;
    ret_census->count[MQ_DEAD] += (int64_t)hidden.dead;
    ret_census->bytes += (int64_t)hidden.bytes;
    ret_census->waiting -= hidden.waiting;
    *ret_unseen = hidden.unseen;
    return error;
}

int depth_recount(mq_queue *queue)
{
    for (int tries = 0; tries < RECOUNTS; tries++) {
        struct depth_totals before, after;
        struct census census;
        bool unseen = false;
        int error = depth_add_up(queue, &before);
        if (!error)
            error = depth_take_census(queue, &census, &unseen);
        if (error || unseen) /* what is right is not known */
            return error;
        if (agree(queue, &before, &census))
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
