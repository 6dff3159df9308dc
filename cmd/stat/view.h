/* What mq-stat shows: one of several views, each with options of its own. */
#ifndef VIEW_H
#define VIEW_H

#include <argp.h>
#include <stdbool.h>
#include <stdint.h>

#include "stat/health_check.h"
#include "stat/overview.h"

/* Each view except the overview has an option of the same name. */
enum view_kind { VIEW_OVERVIEW, VIEW_WATCH, VIEW_AGES, VIEW_INFLIGHT, VIEW_CAPACITY, VIEW_PROMETHEUS, VIEW_CHECK };

struct view {
    enum view_kind kind;
    char **queues; /* none: all queues of the spool */
    int queue_count;
    bool exact;
    int64_t interval, within; /* durations, of --watch and --capacity */
    bool openmetrics;
    const char *output; /* of --prometheus: a file; NULL: standard output */
    struct overview overview;
    struct alarm alarm;
};

/* Choose a view, or end the program if another one has been chosen. */
void view_choose(struct view *view, const struct argp_state *state, enum view_kind kind);

/* Take the argument of --prometheus; NULL: there is none. */
void view_choose_metrics(struct view *view, const struct argp_state *state, const char *format);

/* End the program if an option was given that the view does not use. */
void view_check(const struct view *view, const struct argp_state *state);

/* Show the view. Returns an exit status. */
int view_show(struct view *view);

#endif
