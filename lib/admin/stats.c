/* Figures of a queue. */
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "lane/lane.h"
#include "lifecycle/inbox.h"
#include "queue/depth.h"
#include "store/bucket.h"
#include "store/census.h"

/* ---- the oldest message ----------------------------------------------------------- */

static int64_t head_sent_at(mq_queue *queue, const struct message_name *token)
{
    struct stat status;
    const int file = lane_open_head(queue, token);
    const int64_t moment = file >= 0 && fstat(file, &status) == 0 ? clock_of_file(&status.st_mtim) : 0;
    if (file >= 0)
        close(file);
    return moment;
}

static int64_t sent_at(mq_queue *queue, int dir, const char *file)
{
    struct stat status;
    struct message_name name;
    if (name_parse(MQ_READY, file, &name) && lane_is_token(&name))
        return head_sent_at(queue, &name);
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
    const int64_t oldest = !error && files->count > 0 ? sent_at(queue, dir, listing_at(files, 0)) : 0;
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

/* ---- figures ---------------------------------------------------------------------- */

static void fill_counts(struct mq_stats *stats, const int64_t *count, int64_t bytes)
{
    for (int state = 0; state < MQ_STATES; state++)
        stats->count[state] = depth_not_negative(count[state]);
    stats->bytes = depth_not_negative(bytes);
}

static struct mq_stats stats_of(const struct depth_totals *totals)
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

static int count_groups(mq_queue *queue, struct mq_stats *stats)
{
    uint64_t groups[MQ_STATES];
    const int error = queue->config.order ? census_groups(queue->dir, groups) : 0;
    if (error || !queue->config.order)
        return error;
    stats->groups_waiting = groups[MQ_READY];
    stats->groups_blocked = groups[MQ_DELAYED];
    stats->groups_in_flight = groups[MQ_INFLIGHT];
    return 0;
}

static int look(mq_queue *queue, bool exact, struct mq_stats *ret_stats)
{
    struct depth_totals totals;
    struct census census;
    int error = depth_add_up(queue, &totals);
    if (!error && exact)
        error = census_queue(queue->dir, queue->config.order != CONFIG_UNORDERED, &census);
    if (error)
        return error;
    struct mq_stats stats = stats_of(&totals);
    if (exact)
        fill_counts(&stats, census.count, census.bytes);
    else
        fill_counts(&stats, totals.count, totals.bytes);
    error = count_groups(queue, &stats);
    if (!error)
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
