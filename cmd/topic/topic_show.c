/* Showing topics and where messages go. */
#include "topic/topic_show.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "message/json_write.h"
#include "term/table.h"
#include "text/text.h"

/* ---- bindings --------------------------------------------------------------------- */

static const struct table_column columns[] = {
    {.title = "TOPIC"}, {.title = "DESTINATION"}, {.title = "TAKES"}, {.title = "USED", .right = true}};
#define COLUMNS (sizeof columns / sizeof *columns)

struct view {
    const char *topic;
    struct table *table; /* NULL: objects */
};

static void print_object(const char *topic, const struct mq_binding *binding)
{
    json_t *conditions = cli_must(json_array());
    for (size_t i = 0; i < binding->condition_count; i++)
        json_array_append_new(conditions, cli_must(json_string(binding->conditions[i])));
    json_print(json_pack("{s:s, s:s, s:s?, s:o, s:b, s:I}", "topic", topic, "destination", binding->destination,
                         "pattern", binding->pattern, "conditions", conditions, "any", binding->any, "used",
                         (json_int_t)binding->used));
}

/* What it takes, in a line: of a key or headers, which are untrusted. */
static char *describe(const struct mq_binding *binding)
{
    size_t size = sizeof "everything" + (binding->pattern ? strlen(binding->pattern) : 0);
    for (size_t i = 0; i < binding->condition_count; i++)
        size += strlen(binding->conditions[i]) + 4;
    char *text = cli_must(malloc(size)), *end = text;
    if (binding->pattern)
        end += sprintf(end, "key %s", binding->pattern);
    for (size_t i = 0; i < binding->condition_count; i++)
        end += sprintf(end, "%s%s", i == 0 ? "" : binding->any ? " or " : ", ", binding->conditions[i]);
    if (end == text)
        strcpy(text, "everything");
    char *escaped = cli_must(malloc(TEXT_ESCAPED(size)));
    text_escape(text, strlen(text), "", escaped);
    free(text);
    return escaped;
}

static int show_binding(const struct mq_binding *binding, void *context)
{
    const struct view *view = context;
    if (!view->table) {
        print_object(view->topic, binding);
        return 0;
    }
    char *takes = describe(binding), used[24];
    snprintf(used, sizeof used, "%" PRIu64, binding->used);
    table_row(view->table, (const char *[COLUMNS]){view->topic, binding->destination, takes, used});
    free(takes);
    return 0;
}

static int show_topic(const char *name, void *context)
{
    const int error = mq_topic_bindings(cli_spool, name, show_binding, &(struct view){name, context});
    return error ? cli_topic_error(error, name, "cannot read the bindings") : STATUS_DONE;
}

int topic_show(char **names, int count)
{
    int status = count > 0 ? STATUS_DONE : cli_check_spool();
    if (status != STATUS_DONE)
        return status;
    struct table *table = cli_json ? NULL : table_new(columns, COLUMNS);
    for (int i = 0; i < count; i++)
        status = cli_worse(status, show_topic(names[i], table));
    if (count == 0)
        status = mq_topic_list(cli_spool, show_topic, table);
    if (table)
        table_end(table);
    return status < 0 ? cli_error(status, NULL, "cannot list the topics") : status;
}

/* ---- routes ------------------------------------------------------------------------- */

static int print_queue(const char *queue, void *context)
{
    (void)context;
    puts(queue);
    return 0;
}

static int set_header(mq_message *message, const char *text)
{
    char name[256];
    const char *colon = strchr(text, ':'), *value = colon ? colon + 1 + (colon[1] == ' ') : "";
    const size_t length = colon ? (size_t)(colon - text) : strlen(text);
    if (length >= sizeof name)
        return -EINVAL;
    memcpy(name, text, length);
    name[length] = '\0';
    return mq_message_set_header(message, name, value);
}

static int make_message(const struct topic_terms *terms, mq_message **ret_message)
{
    int error = mq_message_new(ret_message);
    if (error)
        return error;
    if (terms->key_count == 1)
        error = mq_message_set_header(*ret_message, MQ_ROUTING_KEY, terms->keys[0]);
    for (size_t i = 0; i < terms->condition_count && !error; i++)
        error = set_header(*ret_message, terms->conditions[i]);
    if (error)
        mq_message_free(*ret_message);
    return error;
}

int topic_show_route(const char *name, const struct topic_terms *terms)
{
    mq_message *message;
    mq_topic *topic;
    int error = make_message(terms, &message);
    if (error)
        return cli_error(error, name, "cannot make such a message");
    error = mq_topic_open(cli_spool, name, &topic);
    if (!error) {
        error = mq_topic_route(topic, message, print_queue, NULL);
        mq_topic_close(topic);
    }
    mq_message_free(message);
    if (error == -ENXIO)
        return STATUS_NOTHING;
    return error ? cli_topic_error(error, name, "cannot find the route") : STATUS_DONE;
}
