/* Looking at messages without claiming them. */
#include "queue/peek.h"

#include "base/clock.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"
#include "message/json_write.h"
#include "message/preview.h"
#include "term/table.h"
#include "text/human.h"

#define COUNT 10 /* messages that are shown unless --count says otherwise */

static const struct table_column columns[] = {
    {.title = "STATE"},
    {.title = "ID"},
    {.title = "PRIORITY", .right = true},
    {.title = "ATTEMPTS", .right = true},
    {.title = "TIME", .right = true},
    {.title = "SIZE", .right = true},
    {.title = "BODY"},
};
#define COLUMNS (sizeof columns / sizeof *columns)

/* In an ordered queue all messages have the same priority. */
static const struct table_column ordered_columns[] = {
    {.title = "STATE"},
    {.title = "ID"},
    {.title = "GROUP"},
    {.title = "ATTEMPTS", .right = true},
    {.title = "TIME", .right = true},
    {.title = "SIZE", .right = true},
    {.title = "BODY"},
};

struct view {
    mq_queue *queue;
    struct table *table;           /* NULL: messages are shown whole, by a template, or as objects */
    const struct template *format; /* NULL: none */
    bool ordered;
    int status;
};

/* How long ago the message was sent or died, or how long it is until its due time or deadline. */
static void format_time(const struct mq_entry *entry, int64_t sent_at, char *text, size_t size)
{
    char age[HUMAN_SIZE];
    const int64_t now = clock_now(), moment = entry->state == MQ_READY ? sent_at : entry->time;
    human_age(moment > now ? moment - now : now - moment, age);
    snprintf(text, size, moment > now ? "in %s" : "%s ago", age);
}

static void show_row(const struct view *view, const struct mq_entry *entry, const struct preview *preview)
{
    char priority[16], attempts[16], time[HUMAN_SIZE + 8], size[HUMAN_SIZE];
    snprintf(priority, sizeof priority, "%d", entry->priority);
    snprintf(attempts, sizeof attempts, "%u", entry->attempts);
    const char *second = !view->ordered ? priority : preview->group[0] ? preview->group : "-";
    format_time(entry, preview->sent_at, time, sizeof time);
    human_size(preview->size, size);
    table_row(view->table, (const char *[COLUMNS]){mq_state_name(entry->state), entry->id, second, attempts, time, size,
                                                   preview->body});
}

/* NULL: the message is not claimed. */
static const char *receipt_of(const struct view *view, const struct mq_entry *entry, char receipt[MQ_RECEIPT_SIZE])
{
    return mq_entry_receipt(view->queue, entry, receipt) == 0 ? receipt : NULL;
}

static int show_object(const struct view *view, const struct mq_entry *entry, mq_message *message)
{
    struct json_text text = {0};
    char receipt[MQ_RECEIPT_SIZE];
    const struct json_shown shown = {.queue = mq_queue_name(view->queue), .receipt = receipt_of(view, entry, receipt)};
    const int error = json_from_message(message, &shown, &text);
    json_text_string(&text, "state", mq_state_name(entry->state));
    if (mq_state_time_name(entry->state))
        json_text_moment(&text, mq_state_time_name(entry->state), entry->time);
    if (entry->reason)
        json_text_string(&text, "reason", entry->reason);
    return json_text_print(&text, error);
}

static int show_by_template(const struct view *view, const struct mq_entry *entry, mq_message *message)
{
    char receipt[MQ_RECEIPT_SIZE];
    const struct template_message about = {.message = message,
                                           .queue = mq_queue_name(view->queue),
                                           .group = cli_group_of(view->queue, message),
                                           .receipt = receipt_of(view, entry, receipt),
                                           .entry = entry};
    return preview_print_by_template(view->format, &about);
}

static int show_message(const struct view *view, const struct mq_entry *entry)
{
    mq_message *message;
    const int opened = mq_entry_open(view->queue, entry, &message);
    if (opened != 1)
        return opened;
    const int error = view->format ? show_by_template(view, entry, message)
                      : cli_json   ? show_object(view, entry, message)
                                   : preview_print_whole(message);
    mq_message_free(message);
    return error;
}

static int show_line(const struct view *view, const struct mq_entry *entry)
{
    struct preview preview;
    const int got = preview_of(view->queue, entry, &preview);
    if (got == 1)
        show_row(view, entry, &preview);
    return got < 0 ? got : 0;
}

static int visit(const struct mq_entry *entry, void *context)
{
    struct view *view = context;
    const int error = view->table ? show_line(view, entry) : show_message(view, entry);
    if (error)
        view->status = cli_worse(view->status,
                                 cli_fail(cli_status(error), mq_queue_name(view->queue), "%s: %s: %s/%s/%s", entry->id,
                                          cli_reason(error), mq_state_name(entry->state), entry->bucket, entry->file));
    return 0;
}

static int show(mq_queue *queue, struct selection *selection, const struct template *format, bool whole)
{
    struct view view = {.queue = queue, .format = format, .status = STATUS_DONE, .ordered = cli_is_ordered(queue)};
    if (!whole && !format && !cli_json)
        view.table = table_new(view.ordered ? ordered_columns : columns, COLUMNS);
    const int error = selection_browse(selection, queue, visit, &view);
    if (view.table)
        table_end(view.table);
    if (error)
        return cli_queue_error(error, mq_queue_name(queue), "cannot look");
    return cli_worse(view.status, selection_report(selection, queue));
}

int peek_show(const char *name, struct selection *selection, const struct template *format)
{
    mq_queue *queue;
    const bool whole = selection->id_count > 0;
    if (!selection_has_states(selection))
        (void)selection_parse_state(selection, whole ? "all" : "ready");
    if (!whole && selection->most == 0)
        selection->most = COUNT;
    int status = cli_open(name, 0, &queue);
    if (status != STATUS_DONE)
        return status;
    status = show(queue, selection, format, whole);
    mq_close(queue);
    return status;
}
