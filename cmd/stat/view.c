/* What mq-stat shows. */
#include "stat/view.h"

#include <string.h>

#include "cli/cli.h"
#include "stat/ages.h"
#include "stat/capacity.h"
#include "stat/claims.h"
#include "stat/prometheus.h"
#include "stat/watch.h"

static const char *const option_names[] = {"",           "--watch",      "--ages", "--inflight",
                                           "--capacity", "--prometheus", "--check"};

/* ---- choosing -------------------------------------------------------------------------- */

void view_choose(struct view *view, const struct argp_state *state, enum view_kind kind)
{
    if (view->kind != VIEW_OVERVIEW && view->kind != kind)
        cli_usage(state, "%s and %s exclude one another", option_names[view->kind], option_names[kind]);
    view->kind = kind;
}

void view_choose_metrics(struct view *view, const struct argp_state *state, const char *format)
{
    view_choose(view, state, VIEW_PROMETHEUS);
    view->openmetrics = format && strcmp(format, "openmetrics") == 0;
    if (format && !view->openmetrics && strcmp(format, "text") != 0)
        cli_usage(state, "--prometheus: '%s' is neither text nor openmetrics", format);
}

static bool is_overview(const struct view *view)
{
    return view->kind == VIEW_OVERVIEW || view->kind == VIEW_WATCH;
}

void view_check(const struct view *view, const struct argp_state *state)
{
    if (view->output && view->kind != VIEW_PROMETHEUS)
        cli_usage(state, "--output is for --prometheus");
    if (cli_json && (view->kind == VIEW_PROMETHEUS || view->kind == VIEW_CHECK || view->overview.template))
        cli_usage(state, "%s and --json exclude one another",
                  view->overview.template ? "a line of --format" : option_names[view->kind]);
    if ((view->overview.columns || view->overview.template || view->overview.sort) && !is_overview(view))
        cli_usage(state, "%s takes no --format or --sort", option_names[view->kind]);
    if (view->overview.filters.count > 0 && !is_overview(view) && view->kind != VIEW_PROMETHEUS &&
        view->kind != VIEW_CHECK)
        cli_usage(state, "%s takes no --filter", option_names[view->kind]);
    if (view->exact && view->kind != VIEW_OVERVIEW && view->kind != VIEW_PROMETHEUS && view->kind != VIEW_CHECK)
        cli_usage(state, "%s takes no --exact", option_names[view->kind]);
}

/* ---- showing ---------------------------------------------------------------------------- */

/* The views that need the figures of one look. */
static int show_snapshots(struct view *view)
{
    struct snapshot_list lists[SNAPSHOT_KINDS] = {0};
    int status = snapshots_gather(view->queues, view->queue_count, view->exact, lists);
    const bool none = status == STATUS_DONE && lists[SNAPSHOT_QUEUE].count == 0 && lists[SNAPSHOT_TOPIC].count == 0;
    for (int kind = 0; kind < SNAPSHOT_KINDS; kind++)
        overview_arrange(&view->overview, &lists[kind]);
    if (view->kind == VIEW_CHECK)
        status = health_check_report(&view->alarm, lists, status != STATUS_DONE);
    else if (view->kind == VIEW_PROMETHEUS)
        status = cli_worse(status, prometheus_write(lists, view->openmetrics, view->output));
    else
        overview_print_all(&view->overview, lists);
    if (none && view->kind == VIEW_OVERVIEW && !cli_json && !view->overview.template)
        cli_say_none();
    for (int kind = 0; kind < SNAPSHOT_KINDS; kind++)
        snapshots_release(&lists[kind]);
    return status;
}

int view_show(struct view *view)
{
    switch (view->kind) {
    case VIEW_WATCH:
        return watch_run(&(struct watch){view->queues, view->queue_count, view->interval, &view->overview});
    case VIEW_AGES:
        return ages_show(view->queues, view->queue_count);
    case VIEW_INFLIGHT:
        return claims_show(view->queues, view->queue_count);
    case VIEW_CAPACITY:
        return capacity_show(view->queues, view->queue_count, view->within);
    default:
        return show_snapshots(view);
    }
}
