/* mq-topic: one message to many queues. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/command.h"
#include "cli/output.h"
#include "topic/topic_show.h"

static const char **arg_keys, **arg_conditions;
static size_t arg_key_count, arg_condition_count;
static bool arg_any;

static const struct argp_option options[] = {
    {"routing-key", 'k', "PATTERN", 0,
     "bind, unbind: messages whose routing key PATTERN matches, where * is a word and # any number; may be repeated. "
     "route: the key itself",
     1},
    {"match", 'm', "'NAME[: VALUE]'", 0,
     "bind, unbind: messages with this header; repeated, with all of them. route: a header that the message has", 1},
    {"any", COMMAND_LONG('a'), NULL, 0, "bind, unbind: with any of the headers", 1},
    {0},
};

static int run_create(char **words, int count)
{
    (void)count;
    const int status = cli_check_name(words[0]),
              created = status == STATUS_DONE ? mq_topic_create(cli_spool, words[0]) : 0;
    if (created == -EEXIST)
        return cli_fail(STATUS_CANNOT_CREATE, words[0], "cannot create the topic: there is a queue of that name");
    return created < 0 ? cli_error(created, words[0], "cannot create the topic") : status;
}

static int run_delete(char **words, int count)
{
    (void)count;
    const int error = mq_topic_delete(cli_spool, words[0]);
    return error ? topic_error(error, words[0], "cannot delete the topic") : STATUS_DONE;
}

/* ---- bindings -------------------------------------------------------------------- */

typedef int change_fn(const char *spool, const char *topic, const struct mq_binding *binding);

static int change(change_fn *act, char **words, const char *pattern)
{
    const struct mq_binding binding = {.destination = words[1],
                                       .pattern = pattern,
                                       .conditions = arg_conditions,
                                       .condition_count = arg_condition_count,
                                       .any = arg_any};
    const int changed = act(cli_spool, words[0], &binding);
    if (changed == -ELOOP)
        return cli_fail(STATUS_USAGE, words[0], "a topic is not bound to itself");
    if (changed == -EINVAL)
        return cli_fail(STATUS_DATA, words[0], "%s: not a pattern of up to 255 bytes, or not `NAME` or `NAME: VALUE`",
                        pattern ? pattern : words[1]);
    if (changed < 0)
        return topic_error(changed, words[0], "cannot change the bindings");
    cli_note(words[0], "%d changed", changed);
    return changed > 0 ? STATUS_DONE : STATUS_NOTHING;
}

/* A binding for each pattern, or one. */
static int change_each(change_fn *act, char **words)
{
    int status = cli_check_name(words[1]);
    for (size_t i = 0; i < arg_key_count && status <= STATUS_NOTHING; i++)
        status = cli_worse(status, change(act, words, arg_keys[i]));
    return arg_key_count == 0 && status == STATUS_DONE ? change(act, words, NULL) : status;
}

static int run_bind(char **words, int count)
{
    (void)count;
    const int status = change_each(mq_topic_bind, words);
    return status == STATUS_NOTHING ? STATUS_DONE : status; /* it was bound so */
}

static int run_unbind(char **words, int count)
{
    (void)count;
    return change_each(mq_topic_unbind, words);
}

static int run_list(char **words, int count)
{
    return topic_show(words, count);
}

/* ---- routes ------------------------------------------------------------------------ */

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

static int run_route(char **words, int count)
{
    mq_message *message;
    (void)count;
    if (arg_key_count > 1 || arg_any)
        return cli_fail(STATUS_USAGE, NULL, "route takes one --routing-key and no --any");
    int error = mq_message_new(&message);
    if (!error && arg_key_count == 1)
        error = mq_message_set_header(message, MQ_ROUTING_KEY, arg_keys[0]);
    for (size_t i = 0; i < arg_condition_count && !error; i++)
        error = set_header(message, arg_conditions[i]);
    const int status = error ? cli_error(error, words[0], "cannot make such a message")
                             : topic_show_route(words[0], message);
    mq_message_free(message);
    return status;
}

/* ---- configuration ------------------------------------------------------------------ */

static int set_unroutable(const char *topic, const char *value)
{
    const int error = mq_topic_set_unroutable(cli_spool, topic, value);
    if (error == -EINVAL || error == -ELOOP)
        return cli_fail(STATUS_CONFIG, topic, "unroutable: '%s' is none of refuse, drop and the name of another",
                        value);
    if (error == -ENOENT)
        return cli_fail(STATUS_NO_QUEUE, topic, "no such topic, or nothing is called %s", value);
    return error ? topic_error(error, topic, "cannot set the configuration") : STATUS_DONE;
}

static int run_config(char **words, int count)
{
    char value[MQ_QUEUE_NAME_SIZE];
    static const char key[] = "unroutable";
    const size_t length = strlen(key);
    if (count == 2 && strncmp(words[1], key, length) == 0 && words[1][length] == '=')
        return set_unroutable(words[0], words[1][length + 1] ? words[1] + length + 1 : "refuse");
    if (count == 2 && strcmp(words[1], key) != 0)
        return cli_fail(STATUS_CONFIG, words[0], "%s: no such key", words[1]);
    const int error = mq_topic_get_unroutable(cli_spool, words[0], value);
    if (error)
        return topic_error(error, words[0], "cannot read the configuration");
    printf(count == 2 ? "%s%s\n" : "%s = %s\n", count == 2 ? "" : key, value);
    return STATUS_DONE;
}

/* ---- the command line ------------------------------------------------------------ */

static const struct command commands[] = {
    {"create", "", 1, 1, run_create},    {"bind", "kma", 2, 2, run_bind},
    {"unbind", "kma", 2, 2, run_unbind}, {"list", "j", 0, -1, run_list},
    {"route", "kma", 1, 1, run_route},   {"config", "", 1, 2, run_config},
    {"delete", "", 1, 1, run_delete},    {0},
};
static struct command_line line = {.options = options, .commands = commands};

static void add(const struct argp_state *state, const char ***list, size_t *count, const char *argument)
{
    if (!*list)
        *list = cli_must(calloc((size_t)state->argc, sizeof **list));
    (*list)[(*count)++] = argument;
}

static error_t parse(int key, char *argument, struct argp_state *state)
{
    switch (key) {
    case 'k':
        add(state, &arg_keys, &arg_key_count, argument);
        break;
    case 'm':
        add(state, &arg_conditions, &arg_condition_count, argument);
        break;
    case COMMAND_LONG('a'):
        arg_any = true;
        break;
    case ARGP_KEY_SUCCESS:
        if (arg_key_count && arg_condition_count && line.command->run != run_route)
            cli_usage(state, "--routing-key and --match exclude one another");
        if (arg_any && !arg_condition_count)
            cli_usage(state, "--any is for --match");
        return 0;
    default:
        return command_parse(&line, key, state);
    }
    command_note(&line, key);
    return 0;
}

static const struct argp argp = {
    .options = options,
    .parser = parse,
    .args_doc = "create TOPIC\nbind TOPIC DESTINATION\nunbind TOPIC DESTINATION\nlist [TOPIC...]\nroute TOPIC\n"
                "config TOPIC [unroutable[=VALUE]]\ndelete TOPIC",
    .doc = "Send one message to many queues: a topic passes it on to what is bound to it.",
    .children = cli_json_children,
};

int main(int argc, char **argv)
{
    cli_parse(&argp, argc, argv);
    return output_finish(command_run(&line));
}
