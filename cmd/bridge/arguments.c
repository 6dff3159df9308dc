/* The command line of bridges. */
#include "bridge/arguments.h"

#include <mq.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/group.h"

enum { UNTIL_EMPTY = 256, MAX_RATE, CREATE };

static struct bridge_arguments arg;

static const struct argp_option options[] = {
    {"follow", 'f', NULL, 0, "Carry messages until SIGINT or SIGTERM", 1},
    {"count", 'n', "N", 0, "Carry up to N messages; without -n, -f and --until-empty one", 1},
    {"until-empty", UNTIL_EMPTY, NULL, 0, "Carry messages until none is ready, then end", 1},
    {"max-rate", MAX_RATE, "N/s", 0, "Carry no more than N messages a second; N/m, N/h: a minute, an hour", 2},
    {"create", CREATE, NULL, 0, "Make the queue of SOURCE if it is missing", 2},
    {0},
};

static void take_word(const struct argp_state *state, const char *word)
{
    if (!arg.source)
        arg.source = word;
    else if (!arg.destination)
        arg.destination = word;
    else
        cli_usage(state, "too many arguments");
}

static void check(const struct argp_state *state)
{
    if (!arg.destination)
        cli_usage(state, arg.source ? "no destination is given" : "neither source nor destination is given");
    if (arg.follow && (arg.until_empty || arg.count))
        cli_usage(state, "--follow excludes --count and --until-empty");
    if (!arg.follow && !arg.until_empty && !arg.count)
        arg.count = 1;
}

static error_t parse(int key, char *argument, struct argp_state *state)
{
    switch (key) {
    case 'f':
        arg.follow = true;
        return 0;
    case 'n':
        arg.count = cli_number(state, "--count", argument, 1, UINT64_MAX);
        return 0;
    case UNTIL_EMPTY:
        arg.until_empty = true;
        return 0;
    case MAX_RATE:
        arg.interval = cli_interval(state, "--max-rate", argument);
        arg.rate = argument;
        return 0;
    case CREATE:
        arg.create = true;
        return 0;
    case ARGP_KEY_ARG:
        take_word(state, argument);
        return 0;
    case ARGP_KEY_END:
        check(state);
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp argp = {
    .options = options,
    .parser = parse,
    .args_doc = "SOURCE DESTINATION",
    .doc = "Carry messages from SOURCE to DESTINATION, each acked there once it is safe here.\v"
           "Each is the name of a queue in the spool, or a URL such as ssh://host/queue, whose scheme is done by the "
           "program mq-bridge-SCHEME.",
    .children = cli_children,
};

void bridge_parse(int argc, char **argv, struct bridge_arguments *ret_arguments)
{
    cli_parse(&argp, argc, argv);
    *ret_arguments = arg;
}

int bridge_open_source(const struct bridge_arguments *arguments, const char *name, mq_queue **ret_queue)
{
    const bool is_group = strchr(name, '/') != NULL;
    int status = cli_check_queue_name(name);
    if (status == STATUS_DONE && is_group && arguments->create)
        status = group_create(name, &(struct where){.kind = WHERE_BEGINNING});
    cli_advice = "--create makes it";
    return status == STATUS_DONE ? cli_open(name, arguments->create && !is_group ? MQ_CREATE : 0, ret_queue) : status;
}

static bool sides(const struct bridge_arguments *arguments, const char *const *schemes, const char *const *known,
                  size_t most_hosts, struct url *ret_url, const char **ret_name)
{
    char problem[URL_PROBLEM_SIZE] = "";
    const bool is_out = url_is_meant(arguments->destination);
    const char *text = is_out ? arguments->destination : arguments->source;
    *ret_name = is_out ? arguments->source : arguments->destination;
    if (url_is_meant(*ret_name) || !url_is_meant(text))
        exit(cli_fail(STATUS_USAGE, NULL, "one of source and destination is to be a URL, and the other a queue here"));
    if (!url_parse_hosts(text, most_hosts, ret_url, problem))
        exit(cli_fail(STATUS_USAGE, NULL, "bad URL: %s", problem));
    const char *const *scheme = schemes;
    while (*scheme && strcmp(ret_url->scheme, *scheme) != 0)
        scheme++;
    if (!*scheme)
        exit(cli_fail(STATUS_USAGE, ret_url->shown, "this program is for URLs that begin with %s://", *schemes));
    const char *unknown = url_unknown(ret_url, known);
    if (unknown)
        exit(cli_fail(STATUS_USAGE, ret_url->shown, "there is no parameter '%.64s'", unknown));
    const int status = is_out ? cli_check_queue_name(*ret_name) : cli_check_name(*ret_name);
    if (status != STATUS_DONE)
        exit(status);
    return is_out;
}

bool bridge_sides(const struct bridge_arguments *arguments, const char *const *schemes, const char *const *known,
                  struct url *ret_url, const char **ret_name)
{
    return sides(arguments, schemes, known, 1, ret_url, ret_name);
}

bool bridge_sides_of_hosts(const struct bridge_arguments *arguments, const char *const *schemes,
                           const char *const *known, struct url *ret_url, const char **ret_name)
{
    return sides(arguments, schemes, known, URL_HOSTS, ret_url, ret_name);
}
