/* mq-stat --ages. */
#include "stat/ages.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/queues.h"
#include "message/json_write.h"
#include "term/table.h"

#define SECOND INT64_C(1000000)

static const struct {
    const char *title, *name;
    int64_t limit;
} limits[] = {
    {"<10s", "under_10s", 10 * SECOND}, {"1m", "under_1m", 60 * SECOND},     {"5m", "under_5m", 300 * SECOND},
    {"15m", "under_15m", 900 * SECOND}, {"1h", "under_1h", 3600 * SECOND},   {"6h", "under_6h", 21600 * SECOND},
    {"1d", "under_1d", 86400 * SECOND}, {"7d", "under_7d", 604800 * SECOND},
};
#define LIMITS (sizeof limits / sizeof *limits)
#define BEFORE 3 /* columns: queue, state, total */
#define COLUMNS (BEFORE + LIMITS + 1)

struct histogram {
    uint64_t total, counts[LIMITS + 1];
};

static void print_row(struct table *table, const char *queue, enum mq_state state, const struct histogram *histogram)
{
    char texts[COLUMNS][24];
    const char *cells[COLUMNS] = {queue, mq_state_name(state)};
    snprintf(texts[2], sizeof texts[2], "%" PRIu64, histogram->total);
    for (size_t i = 0; i <= LIMITS; i++)
        snprintf(texts[BEFORE + i], sizeof texts[0], "%" PRIu64, histogram->counts[i]);
    for (size_t i = 2; i < COLUMNS; i++)
        cells[i] = texts[i];
    table_row(table, cells);
}

static void print_object(const char *queue, enum mq_state state, const struct histogram *histogram)
{
    json_t *object = cli_must(json_pack("{s:s, s:s, s:I}", "queue", queue, "state", mq_state_name(state), "total",
                                        (json_int_t)histogram->total));
    for (size_t i = 0; i < LIMITS; i++)
        json_object_set_new(object, limits[i].name, cli_must(json_integer((json_int_t)histogram->counts[i])));
    json_object_set_new(object, "older", cli_must(json_integer((json_int_t)histogram->counts[LIMITS])));
    json_print(object);
}

static int show(mq_queue *queue, void *context)
{
    int64_t ages[LIMITS];
    for (size_t i = 0; i < LIMITS; i++)
        ages[i] = limits[i].limit;
    for (int state = 0; state < MQ_STATES; state++) {
        struct histogram histogram = {0};
        const int error = mq_ages(queue, (enum mq_state)state, ages, LIMITS, histogram.counts);
        if (error)
            return cli_queue_error(error, mq_queue_name(queue), "cannot look");
        for (size_t i = 0; i <= LIMITS; i++)
            histogram.total += histogram.counts[i];
        if (histogram.total == 0)
            continue;
        if (cli_json)
            print_object(mq_queue_name(queue), (enum mq_state)state, &histogram);
        else
            print_row(context, mq_queue_name(queue), (enum mq_state)state, &histogram);
    }
    return STATUS_DONE;
}

int ages_show(char *const *names, int count)
{
    struct table_column columns[COLUMNS] = {{.title = "QUEUE"}, {.title = "STATE"}, {.title = "TOTAL", .right = true}};
    for (size_t i = 0; i < LIMITS; i++)
        columns[BEFORE + i] = (struct table_column){.title = limits[i].title, .right = true};
    columns[COLUMNS - 1] = (struct table_column){.title = "OLDER", .right = true};
    struct table *table = cli_json ? NULL : table_new(columns, COLUMNS);
    const int status = queues_each(names, count, show, table);
    if (table)
        table_end(table);
    return status;
}
