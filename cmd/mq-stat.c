/* mq-stat: show what queues hold. */
#include <inttypes.h>
#include <stdio.h>

#include "cli.h"
#include "humane.h"
#include "json_write.h"
#include "moment.h"
#include "output.h"
#include "queues.h"
#include "table.h"

static char **arg_queues;
static int arg_queue_count;
static bool arg_exact;

static const struct argp_option options[] = {
    {"exact", 'x', NULL, 0, "Count by listing, which takes longer the more there is", 1},
    {0},
};

static error_t parse(int key, char *argument, struct argp_state *state)
{
    (void)argument;
    switch (key) {
    case 'x':
        arg_exact = true;
        return 0;
    case ARGP_KEY_ARGS:
        arg_queues = state->argv + state->next;
        arg_queue_count = state->argc - state->next;
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp argp = {
    .options = options,
    .parser = parse,
    .args_doc = "[QUEUE...]",
    .doc = "Show what each QUEUE holds; without QUEUE, all queues of the spool.",
    .children = cli_json_children,
};

static const struct table_column columns[] = {
    {.title = "QUEUE"},
    {.title = "READY", .right = true},
    {.title = "DELAYED", .right = true},
    {.title = "INFLIGHT", .right = true},
    {.title = "DEAD", .right = true},
    {.title = "OLDEST", .right = true},
    {.title = "SIZE", .right = true},
};
#define COLUMNS (sizeof columns / sizeof *columns)

static int64_t age_of_oldest(const struct mq_stats *stats)
{
    const int64_t age = moment_now() - stats->oldest;
    return age > 0 ? age : 0;
}

static void print_json(const char *queue, const struct mq_stats *stats)
{
    json_t *oldest = stats->oldest ? json_real((double)age_of_oldest(stats) / 1e6) : json_null();
    json_print(json_pack("{s:s, s:I, s:I, s:I, s:I, s:o, s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "queue", queue, "ready",
                         (json_int_t)stats->count[MQ_READY], "delayed", (json_int_t)stats->count[MQ_DELAYED],
                         "inflight", (json_int_t)stats->count[MQ_INFLIGHT], "dead", (json_int_t)stats->count[MQ_DEAD],
                         "oldest_seconds", oldest, "bytes", (json_int_t)stats->bytes, "sent", (json_int_t)stats->sent,
                         "delivered", (json_int_t)stats->delivered, "acked", (json_int_t)stats->acked, "retried",
                         (json_int_t)stats->retried, "expired", (json_int_t)stats->expired, "died",
                         (json_int_t)stats->died));
}

static void add_row(struct table *table, const char *queue, const struct mq_stats *stats)
{
    char counts[MQ_STATES][24], oldest[HUMANE_SIZE] = "-", size[HUMANE_SIZE];
    for (int state = 0; state < MQ_STATES; state++)
        snprintf(counts[state], sizeof counts[state], "%" PRIu64, stats->count[state]);
    if (stats->oldest)
        humane_age(age_of_oldest(stats), oldest);
    humane_size(stats->bytes, size);
    table_row(table, (const char *[COLUMNS]){queue, counts[MQ_READY], counts[MQ_DELAYED], counts[MQ_INFLIGHT],
                                             counts[MQ_DEAD], oldest, size});
}

static int show(mq_queue *queue, void *context)
{
    struct mq_stats stats;
    const char *name = mq_queue_name(queue);
    const int error = mq_stat(queue, arg_exact, &stats);
    if (error)
        return cli_queue_error(error, name, "cannot count");
    if (cli_json)
        print_json(name, &stats);
    else
        add_row(context, name, &stats);
    return STATUS_DONE;
}

int main(int argc, char **argv)
{
    cli_parse(&argp, argc, argv);
    struct table *table = cli_json ? NULL : table_new(columns, COLUMNS);
    const int status = queues_each(arg_queues, arg_queue_count, show, table);
    if (table)
        table_end(table);
    return output_finish(status);
}
