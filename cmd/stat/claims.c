/* mq-stat --inflight. */
#include "stat/claims.h"

#include "base/clock.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/queues.h"
#include "message/json_write.h"
#include "term/table.h"

#define COMMAND_MOST 15 /* characters that the kernel keeps of a command's name */

/* The command of the process; false: there is no such process. */
static bool read_command(pid_t process, char *text, size_t size)
{
    char path[32], name[COMMAND_MOST + 2];
    snprintf(path, sizeof path, "/proc/%d/comm", (int)process);
    const int file = open(path, O_RDONLY | O_CLOEXEC);
    const ssize_t got = file < 0 ? 0 : read(file, name, sizeof name);
    if (file >= 0)
        close(file);
    if (got <= 0)
        return false;
    char escaped[TEXT_ESCAPED(sizeof name)];
    text_escape(name, (size_t)got - (name[got - 1] == '\n'), "", escaped);
    snprintf(text, size, "%.*s", (int)text_fit(escaped, size - 1), escaped);
    return true;
}

static void describe_owner(const struct mq_entry *entry, struct claim_text *text)
{
    if (!entry->owner)
        return;
    snprintf(text->owner, sizeof text->owner, "%d", (int)entry->owner);
    text_escape(entry->host, strnlen(entry->host, CLAIM_HOST), "", text->host);
    if (!entry->is_here)
        return;
    snprintf(text->host, sizeof text->host, "here");
    if (!read_command(entry->owner, text->command, sizeof text->command))
        snprintf(text->command, sizeof text->command, "ended");
}

void claims_describe(const struct mq_entry *entry, int64_t now, struct claim_text *ret_text)
{
    struct claim_text text = {.owner = "-", .host = "-", .command = "-", .held = "-"};
    snprintf(text.attempt, sizeof text.attempt, "%u", entry->attempts);
    describe_owner(entry, &text);
    if (entry->begun)
        human_age(now - entry->begun, text.held);
    if (entry->time <= now)
        snprintf(text.left, sizeof text.left, "over");
    else
        human_age(entry->time - now, text.left);
    *ret_text = text;
}

static const struct table_column columns[] = {
    {.title = "QUEUE"}, {.title = "ID"},      {.title = "ATTEMPT", .right = true}, {.title = "OWNER", .right = true},
    {.title = "HOST"},  {.title = "COMMAND"}, {.title = "HELD", .right = true},    {.title = "LEFT", .right = true},
};
#define COLUMNS (sizeof columns / sizeof *columns)

struct view {
    mq_queue *queue;
    struct table *table; /* NULL: objects */
};

/* Of an ordered queue: the message group. */
static void add_group(mq_queue *queue, const struct mq_entry *entry, json_t *object)
{
    mq_message *message;
    if (mq_entry_open(queue, entry, &message) != 1)
        return;
    const char *group = cli_group_of(queue, message);
    json_object_set_new(object, "group", group ? cli_must(json_string(group)) : json_null());
    mq_message_free(message);
}

static void print_object(mq_queue *of, const struct mq_entry *entry, const struct claim_text *text)
{
    const bool known = entry->owner != 0;
    const char *queue = mq_queue_name(of);
    json_t *object = cli_must(
        json_pack("{s:s, s:s, s:i, s:o, s:s?, s:s?, s:o, s:o}", "queue", queue, "id", entry->id, "attempts",
                  (int)entry->attempts, "owner", known ? json_integer(entry->owner) : json_null(), "host",
                  known ? entry->host : NULL, "command", strcmp(text->command, "-") != 0 ? text->command : NULL,
                  "claimed", entry->begun ? json_moment(entry->begun) : json_null(), mq_state_time_name(MQ_INFLIGHT),
                  entry->time ? json_moment(entry->time) : json_null()));
    if (cli_is_ordered(of))
        add_group(of, entry, object);
    json_print(object);
}

static int show_claim(const struct mq_entry *entry, void *context)
{
    const struct view *view = context;
    const char *queue = mq_queue_name(view->queue);
    struct claim_text text;
    claims_describe(entry, clock_now(), &text);
    if (view->table)
        table_row(view->table, (const char *[COLUMNS]){queue, entry->id, text.attempt, text.owner, text.host,
                                                       text.command, text.held, text.left});
    else
        print_object(view->queue, entry, &text);
    return 0;
}

static int show(mq_queue *queue, void *context)
{
    const int error = mq_browse(queue, MQ_INFLIGHT, show_claim, &(struct view){queue, context});
    return error ? cli_queue_error(error, mq_queue_name(queue), "cannot look") : STATUS_DONE;
}

int claims_show(char *const *names, int count)
{
    struct table *table = cli_json ? NULL : table_new(columns, COLUMNS);
    const int status = queues_each(names, count, show, table);
    if (table)
        table_end(table);
    return status;
}
