/* mq-stat: show what queues hold, watch them, and complain. */
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/output.h"
#include "stat/ages.h"
#include "stat/capacity.h"
#include "stat/claims.h"
#include "stat/health_check.h"
#include "stat/overview.h"
#include "stat/prometheus.h"
#include "stat/watch.h"

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

/* What is shown; all but the overview are asked for by an option of that name. */
enum view { OVERVIEW, WATCH, AGES, INFLIGHT, CAPACITY, PROMETHEUS, CHECK };
static const char *const view_names[] = {"",           "--watch",      "--ages", "--inflight",
                                         "--capacity", "--prometheus", "--check"};

static char **arg_queues;
static int arg_queue_count;
static bool arg_exact;
static enum view arg_view;
static int64_t arg_interval = 2 * SECOND, arg_within = 3600 * SECOND;
static bool arg_openmetrics;
static const char *arg_output;
static struct overview arg_overview;
static struct alarm arg_alarm;

static const struct argp_option options[] = {
    {"exact", 'x', NULL, 0, "Count by listing, which takes longer the more there is", 1},
    {"format", KEY_FORMAT, "FORMAT", 0, "Show these figures: FIELD,FIELD..., or a line of text with {FIELD}s in it", 1},
    {"sort", KEY_SORT, "[-]FIELD", 0, "Sort by a figure; with - the largest first", 1},
    {"filter", KEY_FILTER, "CONDITION", 0, "Only queues of which this is true, as 'dead>0'; may be repeated", 1},
    {"watch", 'w', "SECONDS", OPTION_ARG_OPTIONAL, "Look again and again: on a terminal a live screen", 2},
    {"ages", KEY_AGES, NULL, 0, "How many messages of what age there are", 2},
    {"inflight", KEY_INFLIGHT, NULL, 0, "Who holds which message until when", 2},
    {"capacity", KEY_CAPACITY, "DURATION", OPTION_ARG_OPTIONAL,
     "How many consumers are needed, also to have the backlog gone within DURATION, an hour by default", 2},
    {"prometheus", KEY_PROMETHEUS, "FORMAT", OPTION_ARG_OPTIONAL, "Metrics as text, or as openmetrics", 2},
    {"output", KEY_OUTPUT, "FILE", 0, "Put the metrics into FILE, replaced in one step", 2},
    {"check", KEY_CHECK, "CONDITION", 0, "Critical where this is true, as 'oldest>30m'; may be repeated", 2},
    {"warn", KEY_WARN, "CONDITION", 0, "The same for a warning", 2},
    {0},
};

/* ---- the command line ------------------------------------------------------------------ */

static void set_view(const struct argp_state *state, enum view view)
{
    if (arg_view != OVERVIEW && arg_view != view)
        cli_usage(state, "%s and %s exclude one another", view_names[arg_view], view_names[view]);
    arg_view = view;
}

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
    const char *problem = overview_parse_format(&arg_overview, text);
    if (problem)
        cli_usage(state, "--format: '%s': %s", problem, field_no_such());
}

static void set_metrics(const struct argp_state *state, const char *format)
{
    set_view(state, PROMETHEUS);
    arg_openmetrics = format && strcmp(format, "openmetrics") == 0;
    if (format && !arg_openmetrics && strcmp(format, "text") != 0)
        cli_usage(state, "--prometheus: '%s' is neither text nor openmetrics", format);
}

static bool is_overview(void)
{
    return arg_view == OVERVIEW || arg_view == WATCH;
}

/* Options that would do nothing are misuse. */
static void check_options(const struct argp_state *state)
{
    if (arg_output && arg_view != PROMETHEUS)
        cli_usage(state, "--output is for --prometheus");
    if (cli_json && (arg_view == PROMETHEUS || arg_view == CHECK || arg_overview.template))
        cli_usage(state, "%s and --json exclude one another",
                  arg_overview.template ? "a line of --format" : view_names[arg_view]);
    if ((arg_overview.columns || arg_overview.template || arg_overview.sort) && !is_overview())
        cli_usage(state, "%s takes no --format or --sort", view_names[arg_view]);
    if (arg_overview.filters.count > 0 && !is_overview() && arg_view != PROMETHEUS && arg_view != CHECK)
        cli_usage(state, "%s takes no --filter", view_names[arg_view]);
    if (arg_exact && arg_view != OVERVIEW && arg_view != PROMETHEUS && arg_view != CHECK)
        cli_usage(state, "%s takes no --exact", view_names[arg_view]);
}

/* Whoever runs a check takes every status for one of a plugin: also that of a wrong command line. */
static void expect_check(const struct argp_state *state)
{
    for (int i = 1; i < state->argc; i++)
        if (strncmp(state->argv[i], "--check", 7) == 0 || strncmp(state->argv[i], "--warn", 6) == 0)
            argp_err_exit_status = ALARM_UNKNOWN;
}

static error_t parse(int key, char *argument, struct argp_state *state)
{
    switch (key) {
    case ARGP_KEY_INIT:
        expect_check(state);
        return 0;
    case 'x':
        arg_exact = true;
        return 0;
    case KEY_FORMAT:
        set_format(state, argument);
        return 0;
    case KEY_SORT:
        if (!overview_parse_sort(&arg_overview, argument))
            cli_usage(state, "--sort: '%s': %s", argument, field_no_such());
        return 0;
    case KEY_FILTER:
        add_condition(state, "--filter", argument, &arg_overview.filters);
        return 0;
    case 'w':
        set_view(state, WATCH);
        if (argument)
            arg_interval = cli_period(state, "--watch", argument);
        return 0;
    case KEY_AGES:
        set_view(state, AGES);
        return 0;
    case KEY_INFLIGHT:
        set_view(state, INFLIGHT);
        return 0;
    case KEY_CAPACITY:
        set_view(state, CAPACITY);
        if (argument)
            arg_within = cli_period(state, "--capacity", argument);
        return 0;
    case KEY_PROMETHEUS:
        set_metrics(state, argument);
        return 0;
    case KEY_OUTPUT:
        arg_output = argument;
        return 0;
    case KEY_CHECK:
        set_view(state, CHECK);
        add_condition(state, "--check", argument, &arg_alarm.critical);
        return 0;
    case KEY_WARN:
        set_view(state, CHECK);
        add_condition(state, "--warn", argument, &arg_alarm.warning);
        return 0;
    case ARGP_KEY_ARGS:
        arg_queues = state->argv + state->next;
        arg_queue_count = state->argc - state->next;
        return 0;
    case ARGP_KEY_END:
        check_options(state);
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp argp = {
    .options = options,
    .parser = parse,
    .args_doc = "[QUEUE...]",
    .doc = "Show what each QUEUE holds and how fast it moves; without QUEUE, all queues of the spool.",
    .children = cli_json_children,
};

/* ---- the views ------------------------------------------------------------------------- */

/* What needs the figures of one look. */
static int show_figures(void)
{
    struct figures_list list = {0};
    int status = figures_gather(arg_queues, arg_queue_count, arg_exact, &list);
    const bool none = status == STATUS_DONE && list.count == 0;
    overview_arrange(&arg_overview, &list);
    if (arg_view == CHECK)
        status = health_check_report(&arg_alarm, &list, status != STATUS_DONE);
    else if (arg_view == PROMETHEUS)
        status = cli_worse(status, prometheus_write(&list, arg_openmetrics, arg_output));
    else
        overview_print(&arg_overview, &list);
    if (none && arg_view == OVERVIEW && !cli_json && !arg_overview.template)
        cli_say_none();
    figures_release(&list);
    return status;
}

static int show(void)
{
    switch (arg_view) {
    case WATCH:
        return watch_run(&(struct watch){arg_queues, arg_queue_count, arg_interval, &arg_overview});
    case AGES:
        return ages_show(arg_queues, arg_queue_count);
    case INFLIGHT:
        return claims_show(arg_queues, arg_queue_count);
    case CAPACITY:
        return capacity_show(arg_queues, arg_queue_count, arg_within);
    default:
        return show_figures();
    }
}

int main(int argc, char **argv)
{
    cli_parse(&argp, argc, argv);
    const int status = output_finish(show());
    return arg_view == CHECK && status > ALARM_UNKNOWN ? ALARM_UNKNOWN : status;
}
