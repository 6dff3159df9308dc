/* Figures of a queue. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "admin/consumers.h"
#include "base/clock.h"
#include "base/fs_error.h"
#include "format/spool_name.h"
#include "lane/lane.h"
#include "lifecycle/inbox.h"
#include "log/group_figures.h"
#include "queue/depth.h"
#include "store/bucket.h"

/* ---- the oldest message ----------------------------------------------------------- */

static int64_t head_sent_at(mq_queue *queue, const struct message_name *token)
{
    struct stat status;
    const int file = lane_open_head(queue, token, NULL);
    const int64_t moment = file >= 0 && fstat(file, &status) == 0 ? clock_of_file(&status.st_mtim) : 0;
    if (file >= 0)
        close(file);
    return moment;
}

static void note_oldest(int64_t *oldest, int64_t moment)
{
    if (moment && (!*oldest || moment < *oldest))
        *oldest = moment;
}

struct first {
    mq_queue *queue;
    int64_t *sent;
};

static int note_first(void *context, const struct bucket_file *file)
{
    const struct first *first = context;
    struct stat status;
    if (lane_is_token(&file->name)) {
        *first->sent = head_sent_at(first->queue, &file->name);
        return *first->sent ? BUCKET_DONE : 0;
    }
    if (fstatat(file->dir, file->file, &status, AT_SYMLINK_NOFOLLOW) < 0)
        return fs_error_unless_gone(); /* it was taken: the next one is the first now */
    *first->sent = clock_of_file(&status.st_mtim);
    return BUCKET_DONE;
}

/* When the first message of a bucket was sent: no other one in it is older. 0: there is none. */
static int oldest_in(mq_queue *queue, const char *bucket, struct listing *files, int64_t *ret_sent)
{
    *ret_sent = 0;
    return bucket_visit(queue->dir, MQ_READY, bucket, files, note_first, &(struct first){queue, ret_sent});
}

/* Look into one bucket of each priority: the head that the page names. */
static int oldest_by_heads(mq_queue *queue, struct listing *files, int64_t *ret_oldest)
{
    int error = 0;
    for (int priority = 0; priority < NAME_PRIORITIES && !error; priority++) {
        char bucket[NAME_BUCKET_SIZE];
        int64_t moment;
        const uint64_t head = page_head(queue->page, priority);
        if (head == PAGE_NO_BUCKET)
            continue;
        name_format_ready_bucket(priority, head, bucket);
        error = oldest_in(queue, bucket, files, &moment);
        note_oldest(ret_oldest, moment);
    }
    return error;
}

/* List the buckets: of each priority the first one counts that holds something. The others are not even opened, so this
   is no bucket_walk. */
static int oldest_by_listing(mq_queue *queue, struct listing *files, int64_t *ret_oldest)
{
    struct listing buckets = {0};
    int done = -1;
    int error = bucket_list(queue->dir, MQ_READY, &buckets);
    for (size_t i = 0; i < buckets.count && !error; i++) {
        int priority;
        uint64_t birth;
        int64_t moment;
        const char *bucket = listing_at(&buckets, i);
        name_parse_ready_bucket(bucket, &priority, &birth);
        if (priority == done)
            continue;
        error = oldest_in(queue, bucket, files, &moment);
        note_oldest(ret_oldest, moment);
        if (moment)
            done = priority;
    }
    listing_free(&buckets);
    return error;
}

/* The heads may be late or wrong, so they are believed only if they lead to a message. */
static int find_oldest(mq_queue *queue, bool exact, bool expected, int64_t *ret_oldest)
{
    struct listing files = {0};
    *ret_oldest = 0;
    int error = exact ? 0 : oldest_by_heads(queue, &files, ret_oldest);
    if (!error && (exact || (*ret_oldest == 0 && expected)))
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
        .dropped = counters[PAGE_DROPPED],
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

/* Count the messages in the inbox as if they were taken in. */
static int add_inbox(mq_queue *queue, struct mq_stats *stats)
{
    struct inbox_figures inbox;
    const int error = inbox_count(queue, queue_now(queue), &inbox);
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

static int count_consumers(mq_queue *queue, struct mq_stats *stats)
{
    struct consumers consumers;
    const int error = consumers_count(queue, stats->count[MQ_INFLIGHT], &consumers);
    if (error == -EACCES) /* this process may look and no more */
        consumers = (struct consumers){MQ_UNKNOWN, MQ_UNKNOWN, MQ_UNKNOWN};
    else if (error)
        return error;
    stats->consumers = consumers.all;
    stats->consumers_waiting = consumers.waiting;
    stats->consumers_working = consumers.working;
    return 0;
}

/* What waits in the log of a group is ready, too. */
static int add_unread(mq_queue *queue, struct mq_stats *stats)
{
    struct group_figures figures;
    const int error = group_look(queue, &figures);
    if (error)
        return error == -EUCLEAN && queue_has_name(queue) == 0 ? -ENOENT : error;
    stats->is_group = true;
    stats->next = figures.next;
    stats->unread = figures.unread;
    stats->missed = figures.missed;
    stats->lag = figures.unread + stats->count[MQ_READY] + stats->count[MQ_DELAYED] + stats->count[MQ_INFLIGHT];
    if (stats->count[MQ_READY] == 0)
        stats->oldest = figures.next_at;
    stats->count[MQ_READY] += figures.unread;
    return 0;
}

static int look(mq_queue *queue, bool exact, struct mq_stats *ret_stats)
{
    struct depth_totals totals;
    struct census census;
    bool unseen;
    int error = depth_add_up(queue, &totals);
    if (!error && exact)
        error = depth_take_census(queue, &census, &unseen);
    if (error)
        return error;
    struct mq_stats stats = stats_of(&totals);
    if (exact)
        fill_counts(&stats, census.count, census.bytes);
    else
        fill_counts(&stats, totals.count, totals.bytes);
    error = count_groups(queue, &stats);
    if (!error)
        error = count_consumers(queue, &stats);
    if (!error)
        error = find_oldest(queue, exact, stats.count[MQ_READY] > 0, &stats.oldest);
    if (!error)
        error = add_inbox(queue, &stats);
    if (!error && name_group_part(queue->name))
        error = add_unread(queue, &stats);
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
    (void)inbox_take(queue, queue_now(queue), INBOX_ALL); /* messages that stay there are added */
    /* A private page does not tell what other processes do. */
    error = look(queue, exact || page_is_private(queue->page), ret_stats);
    if (!error)
        ret_stats->paused = queue->config.paused;
    return error;
}
