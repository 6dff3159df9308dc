/* Figures of a queue, and whether it is full. */
#include "admin/stats.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "queue/inbox.h"
#include "store/bucket.h"
#include "store/census.h"

/* A queue that never rests is counted by a later sweep. */
#define RECOUNTS 5

/* Longer than a live process takes between moving a message and counting it. */
#define SETTLING_MILLISECONDS 20

struct totals {
    int64_t count[MQ_STATES];
    int64_t bytes;
    uint64_t counters[PAGE_COUNTERS];
    int64_t now; /* of the rates */
    double rates[PAGE_RATES][MQ_SPANS];
    uint64_t held[MQ_HELD_BUCKETS], held_total;
};

static int add_page(void *context, const struct page *page)
{
    struct totals *totals = context;
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

static int add_up(mq_queue *queue, struct totals *ret_totals)
{
    *ret_totals = (struct totals){.now = clock_now()};
    add_page(ret_totals, queue->page);
    return queue_each_other_page(queue, add_page, ret_totals);
}

static uint64_t at_least_none(int64_t count)
{
    return count > 0 ? (uint64_t)count : 0;
}

/* ---- full? ----------------------------------------------------------------------- */

static int count_waiting(mq_queue *queue, int64_t limit, int64_t *ret_count)
{
    int64_t ready, delayed;
    int error = census_count(queue->dir, MQ_READY, limit, &ready);
    if (!error)
        error = census_count(queue->dir, MQ_DELAYED, limit, &delayed);
    if (!error)
        *ret_count = ready + delayed;
    return error;
}

int stats_is_over(mq_queue *queue, uint64_t limit, enum mq_state state, unsigned own, bool *ret_over)
{
    struct totals totals;
    int64_t counted;
    int error = add_up(queue, &totals);
    if (error)
        return error;
    *ret_over = at_least_none(page_sum(totals.count[MQ_READY], totals.count[MQ_DELAYED])) > limit;
    if (!*ret_over || !page_take_recount(queue->page, clock_now()))
        return 0;
    /* Killed processes leave the counters wrong; a queue must not stay full because of that. */
    error = count_waiting(queue, (int64_t)limit, &counted);
    if (!error && (uint64_t)counted + own <= limit) {
        *ret_over = false;
        error = stats_recount(queue);
        if (error == 1)
            page_add_messages(queue->page, state, own); /* which the directories do not have */
    }
    return error < 0 ? error : 0;
}

/* ---- putting right ---------------------------------------------------------------- */

/* Everything that moves changes one of these. */
static bool same_totals(const struct totals *one, const struct totals *other)
{
    for (int state = 0; state < MQ_STATES; state++)
        if (one->count[state] != other->count[state])
            return false;
    for (int counter = 0; counter < PAGE_COUNTERS; counter++)
        if (one->counters[counter] != other->counters[counter])
            return false;
    return one->bytes == other->bytes;
}

/* Then there is nothing to put right, and nobody need wait for others to settle. */
static bool agree(const struct totals *totals, const struct census *census)
{
    for (int state = 0; state < MQ_STATES; state++)
        if (totals->count[state] != census->count[state])
            return false;
    return totals->bytes == census->bytes;
}

static void correct(struct page *page, const struct totals *totals, const struct census *census)
{
    for (int state = 0; state < MQ_STATES; state++)
        page_add_messages(page, (enum mq_state)state, page_difference(census->count[state], totals->count[state]));
    page_add_bytes(page, page_difference(census->bytes, totals->bytes));
}

int stats_recount(mq_queue *queue)
{
    for (int tries = 0; tries < RECOUNTS; tries++) {
        struct totals before, after;
        struct census census;
        int error = add_up(queue, &before);
        if (!error)
            error = census_queue(queue->dir, &census);
        if (error)
            return error;
        if (agree(&before, &census))
            return 0;
        (void)poll(NULL, 0, SETTLING_MILLISECONDS);
        error = add_up(queue, &after);
        if (error)
            return error;
        if (same_totals(&before, &after)) {
            correct(queue->page, &before, &census);
            return 1;
        }
    }
    return 0;
}

/* ---- figures ---------------------------------------------------------------------- */

static int64_t sent_at(int dir, const char *file)
{
    struct stat status;
    if (fstatat(dir, file, &status, AT_SYMLINK_NOFOLLOW) < 0)
        return 0;
    return clock_of_file(&status.st_mtim);
}

/* The first message of a bucket was sent first of all in it. */
static int64_t oldest_in(mq_queue *queue, const char *bucket, struct listing *files)
{
    const int dir = bucket_open(queue->dir, MQ_READY, bucket);
    if (dir < 0)
        return 0;
    const int error = bucket_read(dir, MQ_READY, files);
    const int64_t oldest = !error && files->count > 0 ? sent_at(dir, listing_at(files, 0)) : 0;
    close(dir);
    return oldest;
}

static void note_oldest(int64_t *oldest, int64_t moment)
{
    if (moment && (!*oldest || moment < *oldest))
        *oldest = moment;
}

/* By the heads of the page: one bucket a priority. */
static int64_t oldest_by_heads(mq_queue *queue, struct listing *files)
{
    int64_t oldest = 0;
    for (int priority = 0; priority < NAME_PRIORITIES; priority++) {
        char bucket[NAME_BUCKET_SIZE];
        const uint64_t head = page_head(queue->page, priority);
        if (head == PAGE_NO_BUCKET)
            continue;
        name_format_ready_bucket(priority, head, bucket);
        note_oldest(&oldest, oldest_in(queue, bucket, files));
    }
    return oldest;
}

/* By listing: the first bucket of each priority that holds something. */
static int oldest_by_listing(mq_queue *queue, struct listing *files, int64_t *ret_oldest)
{
    struct listing buckets = {0};
    int64_t oldest = 0;
    int done = -1;
    const int error = bucket_list(queue->dir, MQ_READY, &buckets);
    for (size_t i = 0; i < buckets.count && !error; i++) {
        int priority;
        uint64_t birth;
        const char *bucket = listing_at(&buckets, i);
        name_parse_ready_bucket(bucket, &priority, &birth);
        const int64_t moment = priority == done ? 0 : oldest_in(queue, bucket, files);
        note_oldest(&oldest, moment);
        if (moment)
            done = priority;
    }
    listing_free(&buckets);
    *ret_oldest = oldest;
    return error;
}

static int find_oldest(mq_queue *queue, bool exact, bool expected, int64_t *ret_oldest)
{
    struct listing files = {0};
    int error = 0;
    *ret_oldest = exact ? 0 : oldest_by_heads(queue, &files);
    /* The heads may be behind or wrong; they are believed only where they lead to a message. */
    if (exact || (*ret_oldest == 0 && expected))
        error = oldest_by_listing(queue, &files, ret_oldest);
    listing_free(&files);
    return error;
}

static void fill_counts(struct mq_stats *stats, const int64_t *count, int64_t bytes)
{
    for (int state = 0; state < MQ_STATES; state++)
        stats->count[state] = at_least_none(count[state]);
    stats->bytes = at_least_none(bytes);
}

static struct mq_stats stats_of(const struct totals *totals)
{
    const uint64_t *counters = totals->counters;
    struct mq_stats stats = {
        .sent = counters[PAGE_SENT],
        .delivered = counters[PAGE_DELIVERED],
        .redelivered = counters[PAGE_REDELIVERED],
        .acked = counters[PAGE_ACKED],
        .retried = counters[PAGE_RETRIED],
        .failed = counters[PAGE_FAILED],
        .duplicates = counters[PAGE_DUPLICATES],
        .expired = counters[PAGE_EXPIRED],
        .died = counters[PAGE_DIED],
        .held_total = totals->held_total,
    };
    memcpy(stats.deaths, counters + PAGE_DEATHS, sizeof stats.deaths);
    memcpy(stats.held, totals->held, sizeof stats.held);
    memcpy(stats.sent_rate, totals->rates[PAGE_RATE_SENT], sizeof stats.sent_rate);
    memcpy(stats.acked_rate, totals->rates[PAGE_RATE_ACKED], sizeof stats.acked_rate);
    memcpy(stats.failed_rate, totals->rates[PAGE_RATE_FAILED], sizeof stats.failed_rate);
    return stats;
}

/* What nobody has taken in yet, as if somebody had. */
static int add_inbox(mq_queue *queue, struct mq_stats *stats)
{
    struct inbox_figures inbox;
    const int error = inbox_count(queue, clock_now(), &inbox);
    if (error)
        return error;
    stats->count[MQ_READY] += inbox.ready;
    stats->count[MQ_DELAYED] += inbox.delayed;
    stats->bytes = stats->bytes + inbox.bytes < INT64_MAX ? stats->bytes + inbox.bytes : INT64_MAX;
    note_oldest(&stats->oldest, inbox.oldest);
    return 0;
}

static int look(mq_queue *queue, bool exact, struct mq_stats *ret_stats)
{
    struct totals totals;
    struct census census;
    int error = add_up(queue, &totals);
    if (!error && exact)
        error = census_queue(queue->dir, &census);
    if (error)
        return error;
    struct mq_stats stats = stats_of(&totals);
    if (exact)
        fill_counts(&stats, census.count, census.bytes);
    else
        fill_counts(&stats, totals.count, totals.bytes);
    error = find_oldest(queue, exact, stats.count[MQ_READY] > 0, &stats.oldest);
    if (!error)
        error = add_inbox(queue, &stats);
    if (!error)
        *ret_stats = stats;
    return error;
}

int mq_stat(mq_queue *queue, bool exact, struct mq_stats *ret_stats)
{
    int error = queue_demand(queue, ACCESS_LOOK);
    if (!error)
        error = queue_refresh(queue);
    if (error)
        return error;
    (void)inbox_take(queue, clock_now(), INBOX_ALL); /* else it is added */
    /* A page of one's own does not tell what others do. */
    return look(queue, exact || page_is_private(queue->page), ret_stats);
}
