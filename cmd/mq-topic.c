/* mq-topic: one message to many queues. */
#include <errno.h>
#include <stdlib.h>

#include "cli/cli.h"
#include "cli/command.h"
#include "cli/output.h"
#include "topic/topic_change.h"
#include "topic/topic_follow.h"
#include "topic/topic_settings.h"
#include "topic/topic_show.h"

static struct sharing sharing = SHARING_NONE;
static struct topic_terms arg_terms;
static struct topic_following arg_following = {.wait = MQ_FOREVER};

static const struct argp_option options[] = {
    {"routing-key", 'k', "PATTERN", 0,
     "bind, unbind, follow: messages whose routing key PATTERN matches, where * is a word and # any number; may be "
     "repeated. "
     "route: the key itself",
     1},
    {"match", 'm', "'NAME[: VALUE]'", 0,
     "bind, unbind, follow: messages with this header; repeated, with all of them. route: a header that the message "
     "has",
     1},
    {"any", COMMAND_LONG('a'), NULL, 0, "bind, unbind, follow: with any of the headers", 1},
    {"mode", COMMAND_LONG('o'), "MODE", 0,
     "create: who may use it, as for chmod: 4 look, 2 send, 6 also bind; 0600 by default", 1},
    {"group", COMMAND_LONG('g'), "GROUP", 0, "create: the group that the mode is for, by name or number", 1},
    {"count", 'n', "N", 0, "follow: end after N messages", 2},
    {"wait", 'w', "DURATION", 0, "follow: wait this long for each message, not for ever", 2},
    {"lines", 'l', NULL, 0, "follow: end each body with a newline", 2},
    {"null", '0', NULL, 0, "follow: end each body with a NUL", 2},
    {0},
};

static int run_create(char **words, int count)
{
    return topic_create(&sharing, words, count);
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
    cli_advice = "mq-topic create makes it";
    const int status = change_each(mq_topic_bind, words);
    return status == STATUS_NOTHING ? STATUS_DONE : status; /* it was bound so */
}

static int run_unbind(char **words, int count)
{
    (void)count;
    return change_each(mq_topic_unbind, words);
}

/* ---- routes ------------------------------------------------------------------------ */

static int run_route(char **words, int count)
{
    (void)count;
    if (arg_terms.key_count > 1 || arg_terms.any)
        return cli_fail(STATUS_USAGE, NULL, "route takes one --routing-key and no --any");
    return topic_show_route(words[0], &arg_terms);
}

static int run_follow(char **words, int count)
{
    (void)count;
    if (arg_following.framing && cli_json)
        return cli_fail(STATUS_USAGE, NULL, "--json excludes --lines and --null");
    return topic_follow(words[0], &arg_terms, &arg_following);
}

/* ---- the command line ------------------------------------------------------------ */

static const struct command commands[] = {
    {"create", "og", 1, -1, run_create}, {"bind", "kma", 2, 2, run_bind},          {"unbind", "kma", 2, 2, run_unbind},
    {"list", "j", 0, -1, topic_show},    {"route", "kma", 1, 1, run_route},        {"config", "", 1, -1, topic_config},
    {"delete", "", 1, 1, run_delete},    {"follow", "kmanwl0j", 1, 1, run_follow}, {0},
};
static struct command_line line = {.options = options, .commands = commands};

static error_t parse(int key, char *argument, struct argp_state *state)
{
    switch (key) {
    case 'k':
        cli_add(state, &arg_terms.keys, &arg_terms.key_count, argument);
        break;
    case 'm':
        cli_add(state, &arg_terms.conditions, &arg_terms.condition_count, argument);
        break;
    case COMMAND_LONG('a'):
        arg_terms.any = true;
        break;
    case COMMAND_LONG('o'):
        sharing_set_mode(&sharing, state, argument);
        break;
    case COMMAND_LONG('g'):
        sharing_set_group(&sharing, state, argument);
        break;
    case 'n':
        arg_following.most = cli_number(state, "--count", argument, 1, UINT64_MAX);
        break;
    case 'w':
        arg_following.wait = cli_duration(state, "--wait", argument);
        break;
    case 'l':
    case '0':
        arg_following.framing = key;
        break;
    case ARGP_KEY_SUCCESS:
        if (arg_terms.key_count && arg_terms.condition_count && line.command->run != run_route)
            cli_usage(state, "--routing-key and --match exclude one another");
        if (sharing.group != MQ_OWN_GROUP && !sharing.mode)
            cli_usage(state, "create: --group without --mode gives it nothing");
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
    .args_doc = "create TOPIC [KEY=VALUE...]\nbind TOPIC DESTINATION\nunbind TOPIC DESTINATION\nlist [TOPIC...]\nroute "
                "TOPIC\nfollow TOPIC\n"
                "config TOPIC [KEY[=VALUE]...]\ndelete TOPIC",
    .doc = "Send one message to many queues: a topic passes it on to what is bound to it.",
    .children = cli_json_children,
};

int main(int argc, char **argv)
{
    cli_parse(&argp, argc, argv);
    return output_finish(command_run(&line));
}
