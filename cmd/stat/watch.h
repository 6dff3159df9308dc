/*
 * Looking at queues again and again.
 *
 * On a terminal it is a live screen with keys; elsewhere the table, or objects, one look after the other.
 */
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

/* Until a key or a signal ends it: an exit status. */
int watch_run(const struct watch *watch);

#endif
