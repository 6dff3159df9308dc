/* Showing the groups of logs. */
#include "log/log_groups.h"

#include <errno.h>
#include <inttypes.h>
#include <mq.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "cli/cli.h"
#include "message/json_write.h"
#include "text/human.h"

static const struct table_column columns[] = {
    {.title = "GROUP"},
    {.title = "NEXT", .right = true},
    {.title = "LAG", .right = true},
    {.title = "OLDEST", .right = true},
    {.title = "INFLIGHT", .right = true},
    {.title = "DEAD", .right = true},
};
#define COLUMNS (sizeof columns / sizeof *columns)

struct walk {
    const char *log;
    struct table **table;
    json_t *array;
    int status;
};

static double age_of(const struct mq_stats *stats)
{
    const int64_t now = clock_now();
    return stats->oldest && stats->oldest < now ? (double)(now - stats->oldest) / 1e6 : 0;
}

static void add_object(json_t *array, const char *name, const struct mq_stats *stats)
{
    json_t *object = cli_must(
        json_pack("{s:s, s:I, s:I, s:f, s:I, s:I, s:I, s:I, s:I}", "group", strchr(name, '/') + 1, "next",
                  (json_int_t)stats->next, "lag", (json_int_t)stats->lag, "lag_seconds", age_of(stats), "ready",
                  (json_int_t)stats->count[MQ_READY], "delayed", (json_int_t)stats->count[MQ_DELAYED], "inflight",
                  (json_int_t)stats->count[MQ_INFLIGHT], "dead", (json_int_t)stats->count[MQ_DEAD], "missed",
                  (json_int_t)stats->missed));
    json_array_append_new(array, object);
}

static void add_row(struct table **table, const char *name, const struct mq_stats *stats)
{
    char next[24], lag[24], oldest[HUMAN_SIZE] = "-", inflight[24], dead[24];
    snprintf(next, sizeof next, "%" PRIu64, stats->next);
    snprintf(lag, sizeof lag, "%" PRIu64, stats->lag);
    if (stats->oldest)
        human_age((int64_t)(age_of(stats) * 1e6), oldest);
    snprintf(inflight, sizeof inflight, "%" PRIu64, stats->count[MQ_INFLIGHT]);
    snprintf(dead, sizeof dead, "%" PRIu64, stats->count[MQ_DEAD]);
    if (!*table)
        *table = table_new(columns, COLUMNS);
    table_row(*table, (const char *[COLUMNS]){name, next, lag, oldest, inflight, dead});
}

static int show(const char *name, void *context)
{
    struct walk *walk = context;
    mq_queue *queue;
    struct mq_stats stats;
    const size_t length = strlen(walk->log);
    if (strncmp(name, walk->log, length) != 0 || name[length] != '/')
        return 0;
    int error = mq_open(cli_spool, name, 0, &queue);
    if (!error) {
        error = mq_stat(queue, false, &stats);
        mq_close(queue);
    }
    if (error == -ENOENT) /* it was deleted after it was listed */
        return 0;
    if (error)
        walk->status = cli_worse(walk->status, cli_queue_error(error, name, "cannot look at the group"));
    else if (walk->array)
        add_object(walk->array, name, &stats);
    else
        add_row(walk->table, name, &stats);
    return 0;
}

int log_groups_show(const char *log, struct table **table, json_t *array)
{
    struct walk walk = {log, table, array, STATUS_DONE};
    cli_survive_cut_pages();
    const int error = mq_list(cli_spool, show, &walk);
    return error ? cli_error(error, log, "cannot list the groups") : walk.status;
}

void log_groups_end(struct table *table)
{
    if (!table)
        return;
    puts("");
    table_end(table);
}
