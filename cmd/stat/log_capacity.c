/* What logs need. */
#include "stat/log_capacity.h"

#include <math.h>
#include <mq.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/units.h"
#include "cli/cli.h"
#include "message/json_write.h"
#include "term/table.h"
#include "text/human.h"

#define LOOK_BACK (300 * CLOCK_SECOND)

/* Rates are per second. INFINITY: without a limit, or never. */
struct need {
    double in, bytes_in;
    double size, retention; /* bytes that there are, and that there will be */
    double free, full;
};

/* ---- the reckoning ------------------------------------------------------------------- */

static double least(double one, double other)
{
    return one < other ? one : other;
}

/* Messages of a second, in the last five minutes or since the first one. */
static int rate(mq_log *log, const struct mq_log_stats *stats, double *ret_rate)
{
    const int64_t now = clock_now(), first = stats->first_at ? stats->first_at : now;
    const int64_t since = now - LOOK_BACK > first ? now - LOOK_BACK : first;
    uint64_t offset;
    const int error = mq_log_find(log, since, &offset);
    if (!error)
        *ret_rate = (double)(stats->end - offset) / ((double)(now > since ? now - since : 1) / CLOCK_SECOND);
    return error;
}

/* A message goes when any of the settings lets it go. */
static double retention(const mq_log *log, double bytes_in, double per_message)
{
    char text[64];
    int64_t duration;
    uint64_t number;
    double need = INFINITY;
    if (mq_log_config_get(log, "retain-time", text, sizeof text) == 0 && units_parse_duration(text, &duration))
        need = least(need, bytes_in * ((double)duration / CLOCK_SECOND));
    if (mq_log_config_get(log, "retain-size", text, sizeof text) == 0 && units_parse_size(text, &number))
        need = least(need, (double)number);
    if (mq_log_config_get(log, "retain-count", text, sizeof text) == 0 && units_parse_number(text, UINT64_MAX, &number))
        need = least(need, (double)number * per_message);
    return need;
}

static int reckon(mq_log *log, struct need *ret_need)
{
    struct mq_log_stats stats;
    struct mq_room room;
    struct need need;
    int error = mq_log_stat(log, &stats);
    if (!error)
        error = rate(log, &stats, &need.in);
    if (!error)
        error = mq_log_room(log, &room);
    if (error)
        return error;
    const double per_message = stats.end > stats.begin ? (double)stats.bytes / (double)(stats.end - stats.begin) : 0;
    need.bytes_in = need.in * per_message;
    need.size = (double)stats.bytes;
    need.retention = retention(log, need.bytes_in, per_message);
    need.free = (double)room.bytes;
    need.full = need.bytes_in > 0 && need.retention > need.size + need.free ? need.free / need.bytes_in : INFINITY;
    *ret_need = need;
    return 0;
}

/* ---- showing it ----------------------------------------------------------------------- */

static const struct table_column columns[] = {
    {.title = "LOG"},
    {.title = "IN/s", .right = true},
    {.title = "BYTES/s", .right = true},
    {.title = "SIZE", .right = true},
    {.title = "RETENTION", .right = true},
    {.title = "FREE", .right = true},
    {.title = "FULL", .right = true},
};
#define COLUMNS (sizeof columns / sizeof *columns)

static void put_size(double bytes, char text[HUMAN_SIZE])
{
    if (isinf(bytes) || bytes > 9e18)
        snprintf(text, HUMAN_SIZE, "no limit");
    else
        human_size((uint64_t)bytes, text);
}

static void add_row(struct table *table, const char *name, const struct need *need)
{
    char in[HUMAN_SIZE], bytes[HUMAN_SIZE], size[HUMAN_SIZE], kept[HUMAN_SIZE], left[HUMAN_SIZE], full[HUMAN_SIZE];
    human_number(need->in, in);
    put_size(need->bytes_in, bytes);
    put_size(need->size, size);
    put_size(need->retention, kept);
    put_size(need->free, left);
    if (need->full > 1e11)
        snprintf(full, sizeof full, "never");
    else
        human_age((int64_t)(need->full * CLOCK_SECOND), full);
    table_row(table, (const char *[COLUMNS]){name, in, bytes, size, kept, left, full});
}

static json_t *number(double value)
{
    return isfinite(value) ? json_real(value) : json_null();
}

static void print_object(const char *name, const struct need *need)
{
    json_print(json_pack("{s:s, s:o, s:o, s:o, s:o, s:o, s:o}", "log", name, "in", number(need->in), "bytes_in",
                         number(need->bytes_in), "bytes", number(need->size), "retention_bytes",
                         number(need->retention), "free_bytes", number(need->free), "full_seconds",
                         number(need->full)));
}

struct view {
    struct table *table; /* NULL: objects, or no log yet */
    int status;
};

static int show(const char *name, void *context)
{
    struct view *view = context;
    struct need need;
    mq_log *log;
    const int status = cli_open_log(name, &log), error = status == STATUS_DONE ? reckon(log, &need) : 0;
    if (status == STATUS_DONE)
        mq_log_close(log);
    if (status != STATUS_DONE || error) {
        view->status = cli_worse(view->status, error ? cli_log_error(error, name, "cannot look into the log") : status);
        return 0;
    }
    if (!view->table && !cli_json)
        view->table = table_new(columns, COLUMNS);
    if (view->table)
        add_row(view->table, name, &need);
    else
        print_object(name, &need);
    return 0;
}

int log_capacity_show(char *const *names, int count)
{
    struct view view = {.status = STATUS_DONE};
    for (int i = 0; i < count; i++)
        (void)show(names[i], &view);
    const int error = count == 0 ? mq_log_list(cli_spool, show, &view) : 0;
    if (view.table)
        table_end(view.table);
    return error ? cli_error(error, NULL, "cannot list the logs") : view.status;
}

int log_capacity_split(char **names, int count)
{
    int others = 0;
    for (int i = 0; i < count; i++) {
        mq_log *log;
        char *name = names[i];
        if (mq_log_open(cli_spool, name, &log) == 0) {
            mq_log_close(log);
            continue;
        }
        memmove(names + others + 1, names + others, (size_t)(i - others) * sizeof *names);
        names[others++] = name;
    }
    return others;
}
