/* mq-stat: show what queues hold, watch them, and complain. */
#include <string.h>

#include "cli/cli.h"
#include "cli/output.h"
#include "stat/view.h"

#define SECOND INT64_C(1000000)

enum key {
    KEY_FORMAT = 0x100,
    KEY_SORT,
    KEY_FILTER,
    KEY_AGES,
    KEY_INFLIGHT,
    KEY_CAPACITY,
    KEY_PROMETHEUS,
    KEY_OUTPUT,
    KEY_CHECK,
    KEY_WARN,
};

static struct view arg_view = {.interval = 2 * SECOND, .within = 3600 * SECOND};

static const struct argp_option options[] = {
    {"exact", 'x', NULL, 0, "Count by listing the directories; slower for deep queues", 1},
    {"format", KEY_FORMAT, "FORMAT", 0, "Show these figures: FIELD,FIELD..., or a line of text with {FIELD}s in it", 1},
    {"sort", KEY_SORT, "[-]FIELD", 0, "Sort by a figure; with - the largest first", 1},
    {"filter", KEY_FILTER, "CONDITION", 0, "Only queues for which this is true, such as 'dead>0'; may be repeated", 1},
    {"watch", 'w', "SECONDS", OPTION_ARG_OPTIONAL, "Repeat every SECONDS, 2 by default; on a terminal a live screen",
     2},
    {"ages", KEY_AGES, NULL, 0, "Histograms of the ages of messages", 2},
    {"inflight", KEY_INFLIGHT, NULL, 0, "Claims: which process holds which message until when", 2},
    {"capacity", KEY_CAPACITY, "DURATION", OPTION_ARG_OPTIONAL,
     "How many consumers are needed, also to work off the backlog within DURATION, an hour by default", 2},
    {"prometheus", KEY_PROMETHEUS, "FORMAT", OPTION_ARG_OPTIONAL, "Metrics as text, or as openmetrics", 2},
    {"output", KEY_OUTPUT, "FILE", 0, "Put the metrics into FILE, replaced in one step", 2},
    {"check", KEY_CHECK, "CONDITION", 0, "Critical if this is true, such as 'oldest>30m'; may be repeated", 2},
    {"warn", KEY_WARN, "CONDITION", 0, "The same for a warning", 2},
    {0},
};

/* ---- the command line ------------------------------------------------------------------ */

static void add_condition(const struct argp_state *state, const char *option, const char *text,
                          struct conditions *conditions)
{
    struct condition condition;
    const char *problem = condition_parse(text, &condition);
    if (problem)
        cli_usage(state, "%s: '%s': %s", option, text, problem);
    conditions_add(conditions, &condition);
}

static void set_format(const struct argp_state *state, char *text)
{
    const char *problem = overview_parse_format(&arg_view.overview, text);
    if (problem)
        cli_usage(state, "--format: '%s': %s", problem, field_no_such());
}

/* A monitoring system reads the exit status as that of a plugin, even if the command line is wrong. */
static void expect_check(const struct argp_state *state)
{
    for (int i = 1; i < state->argc; i++)
        if (strncmp(state->argv[i], "--check", 7) == 0 || strncmp(state->argv[i], "--warn", 6) == 0)
            argp_err_exit_status = ALARM_UNKNOWN;
}

/* The options that choose a view. */
static error_t parse_view(int key, char *argument, struct argp_state *state)
{
    switch (key) {
    case 'w':
        view_choose(&arg_view, state, VIEW_WATCH);
        if (argument)
            arg_view.interval = cli_period(state, "--watch", argument);
        return 0;
    case KEY_AGES:
        view_choose(&arg_view, state, VIEW_AGES);
        return 0;
    case KEY_INFLIGHT:
        view_choose(&arg_view, state, VIEW_INFLIGHT);
        return 0;
    case KEY_CAPACITY:
        view_choose(&arg_view, state, VIEW_CAPACITY);
        if (argument)
            arg_view.within = cli_period(state, "--capacity", argument);
        return 0;
    case KEY_PROMETHEUS:
        view_choose_metrics(&arg_view, state, argument);
        return 0;
    case KEY_OUTPUT:
        arg_view.output = argument;
        return 0;
    case KEY_CHECK:
        view_choose(&arg_view, state, VIEW_CHECK);
        add_condition(state, "--check", argument, &arg_view.alarm.critical);
        return 0;
    case KEY_WARN:
        view_choose(&arg_view, state, VIEW_CHECK);
        add_condition(state, "--warn", argument, &arg_view.alarm.warning);
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static error_t parse(int key, char *argument, struct argp_state *state)
{
    switch (key) {
    case ARGP_KEY_INIT:
        expect_check(state);
        return 0;
    case 'x':
        arg_view.exact = true;
        return 0;
    case KEY_FORMAT:
        set_format(state, argument);
        return 0;
    case KEY_SORT:
        if (!overview_parse_sort(&arg_view.overview, argument))
            cli_usage(state, "--sort: '%s': %s", argument, field_no_such());
        return 0;
    case KEY_FILTER:
        add_condition(state, "--filter", argument, &arg_view.overview.filters);
        return 0;
    case ARGP_KEY_ARGS:
        arg_view.queues = state->argv + state->next;
        arg_view.queue_count = state->argc - state->next;
        return 0;
    case ARGP_KEY_END:
        view_check(&arg_view, state);
        return 0;
    default:
        return parse_view(key, argument, state);
    }
}

static const struct argp argp = {
    .options = options,
    .parser = parse,
    .args_doc = "[QUEUE...]",
    .doc = "Show what each QUEUE holds and how fast it moves; without QUEUE, all queues of the spool.",
    .children = cli_json_children,
};

int main(int argc, char **argv)
{
    cli_parse(&argp, argc, argv);
    const int status = output_finish(view_show(&arg_view));
    return arg_view.kind == VIEW_CHECK && status > ALARM_UNKNOWN ? ALARM_UNKNOWN : status;
}
