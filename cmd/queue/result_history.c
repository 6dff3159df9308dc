/* mq-queue history. */
#include "queue/result_history.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "cli/cli.h"
#include "message/json_write.h"
#include "term/table.h"
#include "text/human.h"

static const struct table_column columns[] = {
    {.title = "ID"},
    {.title = "ATTEMPT", .right = true},
    {.title = "OUTCOME"},
    {.title = "STATUS", .right = true},
    {.title = "BEGUN", .right = true},
    {.title = "TOOK", .right = true},
    {.title = "OUTPUT", .right = true},
    {.title = "ERRORS", .right = true},
};
#define COLUMNS (sizeof columns / sizeof *columns)

static const char *style_of(enum mq_outcome outcome)
{
    return outcome == MQ_OUTCOME_DONE ? NULL : outcome == MQ_OUTCOME_RUNNING ? TABLE_GREEN : TABLE_RED;
}

/* An exit status, or the signal's name. */
static void format_status(const struct mq_result_entry *entry, char *text, size_t size)
{
    const char *name = entry->signal ? sigabbrev_np(entry->signal) : NULL;
    if (name)
        snprintf(text, size, "%s", name);
    else if (entry->signal || entry->exit_status >= 0)
        snprintf(text, size, "%d", entry->signal ? entry->signal : entry->exit_status);
    else
        snprintf(text, size, "-");
}

/* Of a command that runs: how long it has run by now. */
static void format_time(const struct mq_result_entry *entry, int64_t now, char *text)
{
    const int64_t end = entry->ended ? entry->ended : now, took = end - entry->begun;
    if (entry->outcome == MQ_OUTCOME_INTERRUPTED)
        strcpy(text, "-");
    else if (took >= 0 && took < 10 * CLOCK_SECOND)
        snprintf(text, HUMAN_SIZE, "%.2fs", (double)took / (double)CLOCK_SECOND);
    else
        human_age(took, text);
}

static void show_row(struct table *table, const struct mq_result_entry *entry, int64_t now)
{
    char attempt[16], status[16], begun[HUMAN_SIZE], ago[HUMAN_SIZE + 8], took[HUMAN_SIZE];
    char sizes[MQ_STREAMS][HUMAN_SIZE];
    const char *outcome_style = style_of(entry->outcome);
    snprintf(attempt, sizeof attempt, "%u", entry->attempt);
    format_status(entry, status, sizeof status);
    human_age(now - entry->begun, begun);
    snprintf(ago, sizeof ago, "%s ago", begun);
    format_time(entry, now, took);
    for (int stream = 0; stream < MQ_STREAMS; stream++)
        human_size(entry->bytes[stream], sizes[stream]);
    if (entry->cut)
        strcat(sizes[MQ_STDOUT], "+");
    table_row_styled(table,
                     (const char *[COLUMNS]){entry->id, attempt, mq_outcome_name(entry->outcome), status, ago, took,
                                             sizes[MQ_STDOUT], sizes[MQ_STDERR]},
                     (const char *[COLUMNS]){[2] = outcome_style, [3] = outcome_style});
}

static void put(json_t *object, const char *name, json_t *value)
{
    json_object_set_new(object, name, cli_must(value));
}

static void show_object(const char *queue, const struct mq_result_entry *entry)
{
    json_t *object = cli_must(json_object());
    put(object, "id", json_string(entry->id));
    put(object, "queue", json_string(queue));
    put(object, "attempt", json_integer(entry->attempt));
    put(object, "outcome", json_string(mq_outcome_name(entry->outcome)));
    if (entry->exit_status >= 0)
        put(object, "exit_status", json_integer(entry->exit_status));
    if (entry->signal)
        put(object, "signal", json_integer(entry->signal));
    put(object, "begun", json_moment(entry->begun));
    if (entry->ended)
        put(object, "ended", json_moment(entry->ended));
    put(object, "stdout_bytes", json_integer((json_int_t)entry->bytes[MQ_STDOUT]));
    put(object, "stderr_bytes", json_integer((json_int_t)entry->bytes[MQ_STDERR]));
    if (entry->cut)
        put(object, "cut", json_true());
    json_print(object);
}

static void show(const char *queue, const struct result_list *list)
{
    const int64_t now = clock_now();
    struct table *table = cli_json ? NULL : table_new(columns, COLUMNS);
    for (size_t i = 0; i < list->count; i++)
        if (table)
            show_row(table, &list->items[i].entry, now);
        else
            show_object(queue, &list->items[i].entry);
    if (table)
        table_end(table);
}

static int report_missing(mq_queue *queue, const struct selection *selection)
{
    int status = STATUS_DONE;
    for (size_t i = 0; i < selection->id_count; i++)
        if (!selection->ids[i].found)
            status = cli_worse(status, result_list_explain(queue, selection->ids[i].id));
    return status;
}

int result_history_show(const char *name, const struct result_wish *wish)
{
    mq_queue *queue;
    struct result_list list = {0};
    int status = cli_open(name, 0, &queue);
    if (status != STATUS_DONE)
        return status;
    status = result_list_gather(queue, wish, &list);
    if (status == STATUS_DONE) {
        show(name, &list);
        status = report_missing(queue, wish->selection);
        status = cli_worse(status, list.count > 0 ? STATUS_DONE : STATUS_NOTHING);
    }
    result_list_release(&list);
    mq_close(queue);
    return status;
}
