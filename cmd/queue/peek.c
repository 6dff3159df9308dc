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
#include "text/moment.h"

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

struct view {
    const struct peek *peek;
    mq_queue *queue;
    struct table *table; /* NULL where there is none */
    int status;
};

/* How long ago it was sent or died; how far off is the due time or the deadline. */
static void format_time(const struct mq_entry *entry, int64_t sent_at, char *text, size_t size)
{
    char age[HUMANE_SIZE];
    const int64_t now = clock_now(), moment = entry->state == MQ_READY ? sent_at : entry->time;
    human_age(moment > now ? moment - now : now - moment, age);
    snprintf(text, size, moment > now ? "in %s" : "%s ago", age);
}

static void show_row(const struct view *view, const struct mq_entry *entry, const struct preview *glance)
{
    char priority[16], attempts[16], time[HUMANE_SIZE + 8], size[HUMANE_SIZE];
    snprintf(priority, sizeof priority, "%d", entry->priority);
    snprintf(attempts, sizeof attempts, "%u", entry->attempts);
    format_time(entry, glance->sent_at, time, sizeof time);
    human_size(glance->size, size);
    table_row(view->table, (const char *[COLUMNS]){state_name(entry->state), entry->id, priority, attempts, time, size,
                                                   glance->preview});
}

/* The entry's time under the name that it has in its state; a ready message has none. */
static void add_time(json_t *object, const struct mq_entry *entry)
{
    static const char *const names[MQ_STATES] = {[MQ_DELAYED] = "due", [MQ_INFLIGHT] = "deadline", [MQ_DEAD] = "died"};
    char moment[MOMENT_SIZE];
    if (!names[entry->state])
        return;
    moment_format(entry->time, moment);
    json_object_set_new(object, names[entry->state], cli_must(json_string(moment)));
}

static int show_object(const struct view *view, const struct mq_entry *entry, mq_message *message)
{
    json_t *object;
    const int error = json_from_message(message, mq_queue_name(view->queue), NULL, &object);
    if (error)
        return error;
    json_object_set_new(object, "state", cli_must(json_string(state_name(entry->state))));
    add_time(object, entry);
    if (entry->reason)
        json_object_set_new(object, "reason", cli_must(json_string(entry->reason)));
    json_print(object);
    return 0;
}

static int show_message(const struct view *view, const struct mq_entry *entry)
{
    mq_message *message;
    const int opened = mq_entry_open(view->queue, entry, &message);
    if (opened != 1)
        return opened;
    const int error = cli_json ? show_object(view, entry, message) : preview_print_whole(message);
    mq_message_free(message);
    return error;
}

static int show_line(const struct view *view, const struct mq_entry *entry)
{
    struct preview glance;
    const int got = preview_of(view->queue, entry, &glance);
    if (got == 1)
        show_row(view, entry, &glance);
    return got < 0 ? got : 0;
}

static int visit(const struct mq_entry *entry, void *context)
{
    struct view *view = context;
    struct selection *selection = view->peek->selection;
    if (selection->taken == view->peek->count)
        return 1;
    if (!selection_takes(selection, view->queue, entry))
        return 0;
    const int error = view->table ? show_line(view, entry) : show_message(view, entry);
    if (error)
        view->status = cli_worse(view->status,
                                 cli_fail(cli_status(error), mq_queue_name(view->queue), "%s: %s: %s/%s/%s", entry->id,
                                          cli_reason(error), state_name(entry->state), entry->bucket, entry->file));
    return 0;
}

int peek_show(mq_queue *queue, const struct peek *peek)
{
    struct view view = {.peek = peek, .queue = queue, .status = STATUS_DONE};
    if (!peek->whole && !cli_json)
        view.table = table_new(columns, COLUMNS);
    int stopped = 0;
    for (int state = 0; state < MQ_STATES && stopped >= 0; state++)
        if (peek->states[state])
            stopped = mq_browse(queue, (enum mq_state)state, visit, &view);
    if (view.table)
        table_end(view.table);
    if (stopped < 0)
        return cli_queue_error(stopped, mq_queue_name(queue), "cannot look");
    return cli_worse(view.status, selection_report(peek->selection, mq_queue_name(queue)));
}
