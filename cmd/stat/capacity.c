/* How many consumers the load needs. */
#include "stat/capacity.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/queues.h"
#include "message/json_write.h"
#include "stat/log_capacity.h"
#include "term/table.h"
#include "text/human.h"

#define SECOND 1e6

/* Rates are per second, times are in seconds. NAN: unknown. INFINITY: never. */
struct capacity {
    double in, out;            /* messages sent, and acked */
    double held, half, most;   /* how long a message is held: mean, median, 99th percentile */
    double busy;               /* consumers at work, on average */
    double needed;             /* consumers that can keep up with the messages that come in */
    double needed_for_backlog; /* the same, and work off the backlog within the wanted time */
    uint64_t backlog;
    double gone; /* when there will be no backlog */
    double full; /* when there will be no room */
};

/* ---- how long a message takes ------------------------------------------------------ */

static uint64_t count_held(const struct mq_stats *stats)
{
    uint64_t count = 0;
    for (int i = 0; i < MQ_HELD_BUCKETS; i++)
        count += stats->held[i];
    return count;
}

/* An upper bound of the time for the given share of the messages. It is good to a factor of two, as the histogram
   is. */
static double quantile(const struct mq_stats *stats, double share)
{
    const double wanted = share * (double)count_held(stats);
    double seen = 0;
    for (int i = 0; i < MQ_HELD_BUCKETS - 1; i++) {
        seen += (double)stats->held[i];
        if (seen > 0 && seen >= wanted)
            return (double)MQ_HELD_LIMIT(i) / SECOND;
    }
    return seen > 0 || count_held(stats) > 0 ? INFINITY : NAN;
}

static double mean_held(const struct mq_stats *stats)
{
    const uint64_t count = count_held(stats);
    return count ? (double)stats->held_total / (double)count / SECOND : NAN;
}

/* ---- the reckoning ----------------------------------------------------------------- */

static double least(double one, double other)
{
    return one < other ? one : other;
}

/* The time until `room`, which shrinks by `growth` each second, is used up. */
static double until(double room, double growth)
{
    return growth > 0 ? (room > 0 ? room / growth : 0) : INFINITY;
}

static double until_full(mq_queue *queue, const struct mq_stats *stats, double growth)
{
    char max_depth[32];
    unsigned long long limit;
    struct mq_room room;
    double messages = 0, full = INFINITY;
    for (int state = 0; state < MQ_STATES; state++)
        messages += (double)stats->count[state];
    if (mq_room(queue, &room) == 0) {
        if (messages > 0)
            full = least(full, until((double)room.bytes, growth * (double)stats->bytes / messages));
        if (room.files != UINT64_MAX)
            full = least(full, until((double)room.files, growth));
    }
    if (mq_config_get(queue, "max-depth", max_depth, sizeof max_depth) == 0 && sscanf(max_depth, "%llu", &limit) == 1)
        full = least(full, until((double)limit - (double)(stats->count[MQ_READY] + stats->count[MQ_DELAYED]), growth));
    return full;
}

static struct capacity reckon(mq_queue *queue, const struct mq_stats *stats, double within)
{
    const double in = stats->sent_rate[MQ_5_MINUTES], out = stats->acked_rate[MQ_5_MINUTES],
                 failed = stats->failed_rate[MQ_5_MINUTES];
    /* A message that fails takes a consumer several times. */
    const double work = mean_held(stats) * (out > 0 ? (out + failed) / out : 1);
    const uint64_t backlog = stats->count[MQ_READY];
    return (struct capacity){
        .in = in,
        .out = out,
        .held = mean_held(stats),
        .half = quantile(stats, 0.5),
        .most = quantile(stats, 0.99),
        .busy = out * work,
        .needed = in * work,
        .needed_for_backlog = (in + (double)backlog / within) * work,
        .backlog = backlog,
        .gone = backlog == 0 ? 0 : until((double)backlog, out - in),
        .full = until_full(queue, stats, in - out),
    };
}

/* ---- showing it -------------------------------------------------------------------- */

static const struct table_column columns[] = {
    {.title = "QUEUE"},
    {.title = "IN/s", .right = true},
    {.title = "OUT/s", .right = true},
    {.title = "HELD", .right = true},
    {.title = "BUSY", .right = true},
    {.title = "NEEDED", .right = true},
    {.title = "CATCH-UP", .right = true},
    {.title = "BACKLOG", .right = true},
    {.title = "GONE", .right = true},
    {.title = "FULL", .right = true},
};
#define COLUMNS (sizeof columns / sizeof *columns)

static void put_time(double seconds, char text[HUMAN_SIZE])
{
    if (isnan(seconds))
        snprintf(text, HUMAN_SIZE, "-");
    else if (seconds > 1e11)
        snprintf(text, HUMAN_SIZE, "never");
    else if (seconds < 10)
        snprintf(text, HUMAN_SIZE, "%.3gs", seconds);
    else
        human_age((int64_t)(seconds * SECOND), text);
}

static void put_number(double number, char text[HUMAN_SIZE])
{
    if (isnan(number))
        snprintf(text, HUMAN_SIZE, "-");
    else
        human_number(number, text);
}

/* Round up to whole consumers. Less than a millionth of one is a rounding error, and counts as none. */
static double whole(double consumers)
{
    const double below = consumers < 1e15 ? (double)(int64_t)consumers : consumers;
    return consumers - below > 1e-6 ? below + 1 : isnan(consumers) ? NAN : below;
}

static void put_consumers(double consumers, char text[HUMAN_SIZE])
{
    if (isnan(consumers))
        snprintf(text, HUMAN_SIZE, "-");
    else
        snprintf(text, HUMAN_SIZE, "%.0f", whole(consumers));
}

static void add_row(struct table *table, const char *queue, const struct capacity *capacity)
{
    char texts[COLUMNS][HUMAN_SIZE];
    const char *cells[COLUMNS] = {queue};
    put_number(capacity->in, texts[1]);
    put_number(capacity->out, texts[2]);
    put_time(capacity->held, texts[3]);
    put_number(capacity->busy, texts[4]);
    put_consumers(capacity->needed, texts[5]);
    put_consumers(capacity->needed_for_backlog, texts[6]);
    snprintf(texts[7], HUMAN_SIZE, "%ju", (uintmax_t)capacity->backlog);
    put_time(capacity->gone, texts[8]);
    put_time(capacity->full, texts[9]);
    for (size_t i = 1; i < COLUMNS; i++)
        cells[i] = texts[i];
    table_row(table, cells);
}

static json_t *number(double value)
{
    return isfinite(value) ? json_real(value) : json_null();
}

static void print_object(const char *queue, const struct capacity *capacity)
{
    json_print(json_pack("{s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:I, s:o, s:o}", "queue", queue, "in",
                         number(capacity->in), "out", number(capacity->out), "held_seconds", number(capacity->held),
                         "held_p50_seconds", number(capacity->half), "held_p99_seconds", number(capacity->most), "busy",
                         number(capacity->busy), "needed", number(whole(capacity->needed)), "needed_for_backlog",
                         number(whole(capacity->needed_for_backlog)), "backlog", (json_int_t)capacity->backlog,
                         "gone_seconds", number(capacity->gone), "full_seconds", number(capacity->full)));
}

struct view {
    struct table *table; /* NULL: objects */
    double within;
};

static int show(mq_queue *queue, void *context)
{
    const struct view *view = context;
    struct mq_stats stats;
    const int error = mq_stat(queue, false, &stats);
    if (error)
        return cli_queue_error(error, mq_queue_name(queue), "cannot count");
    const struct capacity capacity = reckon(queue, &stats, view->within);
    if (view->table)
        add_row(view->table, mq_queue_name(queue), &capacity);
    else
        print_object(mq_queue_name(queue), &capacity);
    return STATUS_DONE;
}

static int show_queues(char *const *names, int count, int64_t within)
{
    struct view view = {.table = cli_json ? NULL : table_new(columns, COLUMNS), .within = (double)within / SECOND};
    const int status = queues_each(names, count, show, &view);
    if (view.table)
        table_end(view.table);
    return status;
}

int capacity_show(char **names, int count, int64_t within)
{
    const int queues = log_capacity_split(names, count);
    int status = count == 0 || queues > 0 ? show_queues(names, queues, within) : STATUS_DONE;
    if (status <= STATUS_NOTHING && (count == 0 || queues < count))
        status = cli_worse(status, log_capacity_show(names + queues, count - queues));
    return status;
}
