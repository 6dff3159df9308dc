/* mq-stat --watch: on a terminal a live screen with keys; elsewhere the table, or objects, printed again and again. */
#ifndef WATCH_H
#define WATCH_H

#include <stdint.h>

#include "stat/overview.h"

struct watch {
    char **names; /* none: all queues of the spool */
    int name_count;
    int64_t interval;
    struct overview *overview;
};

/* Runs until a key or a signal ends it. Returns an exit status. */
int watch_run(const struct watch *watch);

#endif
