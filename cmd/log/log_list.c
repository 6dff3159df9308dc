/* Showing logs. */
#include "log/log_list.h"

#include <inttypes.h>
#include <mq.h>
#include <stdio.h>

#include "cli/cli.h"
#include "log/log_groups.h"
#include "message/json_write.h"
#include "term/table.h"
#include "text/human.h"
#include "text/moment.h"

static const struct table_column columns[] = {{.title = "LOG"},
                                              {.title = "BEGIN", .right = true},
                                              {.title = "END", .right = true},
                                              {.title = "MESSAGES", .right = true},
                                              {.title = "SIZE", .right = true},
                                              {.title = "FROM"},
                                              {.title = "TO"}};
#define COLUMNS (sizeof columns / sizeof *columns)

static json_t *moment_or_null(int64_t moment)
{
    return moment ? json_moment(moment) : json_null();
}

static void print_object(const char *name, const struct mq_log_stats *stats, json_t *groups)
{
    json_print(json_pack("{s:s, s:I, s:I, s:I, s:I, s:o, s:o, s:o}", "log", name, "begin", (json_int_t)stats->begin,
                         "end", (json_int_t)stats->end, "messages", (json_int_t)(stats->end - stats->begin), "bytes",
                         (json_int_t)stats->bytes, "first_at", moment_or_null(stats->first_at), "last_at",
                         moment_or_null(stats->last_at), "groups", groups));
}

static void print_row(struct table *table, const char *name, const struct mq_log_stats *stats)
{
    char begin[24], end[24], messages[24], size[HUMAN_SIZE], first[MOMENT_SIZE] = "-", last[MOMENT_SIZE] = "-";
    snprintf(begin, sizeof begin, "%" PRIu64, stats->begin);
    snprintf(end, sizeof end, "%" PRIu64, stats->end);
    snprintf(messages, sizeof messages, "%" PRIu64, stats->end - stats->begin);
    human_size(stats->bytes, size);
    if (stats->first_at)
        moment_format(stats->first_at, first);
    if (stats->last_at)
        moment_format(stats->last_at, last);
    table_row(table, (const char *[COLUMNS]){name, begin, end, messages, size, first, last});
}

struct tables {
    struct table *logs, *groups; /* NULL: objects */
};

static int show(const char *name, void *context)
{
    struct tables *tables = context;
    mq_log *log;
    struct mq_log_stats stats;
    const int status = cli_open_log(name, &log);
    if (status != STATUS_DONE)
        return status;
    const int error = mq_log_stat(log, &stats);
    mq_log_close(log);
    if (error)
        return cli_log_error(error, name, "cannot look into the log");
    json_t *groups = tables->logs ? NULL : cli_must(json_array());
    const int status_of_groups = log_groups_show(name, &tables->groups, groups);
    if (groups)
        print_object(name, &stats, groups);
    else
        print_row(tables->logs, name, &stats);
    return status_of_groups;
}

struct walk {
    struct tables tables;
    int status;
};

static int show_listed(const char *name, void *context)
{
    struct walk *walk = context;
    walk->status = cli_worse(walk->status, show(name, &walk->tables));
    return 0;
}

int log_list(char **names, int count)
{
    struct walk walk = {.status = count > 0 ? STATUS_DONE : cli_check_spool()};
    if (walk.status != STATUS_DONE)
        return walk.status;
    if (!cli_json)
        walk.tables.logs = table_new(columns, COLUMNS);
    for (int i = 0; i < count; i++)
        (void)show_listed(names[i], &walk);
    const int error = count == 0 ? mq_log_list(cli_spool, show_listed, &walk) : 0;
    if (!cli_json) {
        table_end(walk.tables.logs);
        log_groups_end(walk.tables.groups);
    }
    return error ? cli_error(error, NULL, "cannot list the logs") : walk.status;
}
