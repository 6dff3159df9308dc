/* mq-topic: one message to many queues. */
#include <errno.h>
#include <stdlib.h>

#include "cli/cli.h"
#include "cli/command.h"
#include "cli/output.h"
#include "topic/topic_change.h"
#include "topic/topic_show.h"

static struct topic_terms arg_terms;

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
    return topic_delete(words[0]);
}

/* ---- bindings -------------------------------------------------------------------- */

static int change_each(topic_change_fn *act, char **words)
{
    return topic_change(act, words[0], words[1], &arg_terms);
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

static int run_route(char **words, int count)
{
    (void)count;
    if (arg_terms.key_count > 1 || arg_terms.any)
        return cli_fail(STATUS_USAGE, NULL, "route takes one --routing-key and no --any");
    return topic_show_route(words[0], &arg_terms);
}

/* ---- configuration ------------------------------------------------------------------ */

static int run_config(char **words, int count)
{
    return topic_config(words[0], count == 2 ? words[1] : NULL);
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
        add(state, &arg_terms.keys, &arg_terms.key_count, argument);
        break;
    case 'm':
        add(state, &arg_terms.conditions, &arg_terms.condition_count, argument);
        break;
    case COMMAND_LONG('a'):
        arg_terms.any = true;
        break;
    case ARGP_KEY_SUCCESS:
        if (arg_terms.key_count && arg_terms.condition_count && line.command->run != run_route)
            cli_usage(state, "--routing-key and --match exclude one another");
        if (arg_terms.any && !arg_terms.condition_count)
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
