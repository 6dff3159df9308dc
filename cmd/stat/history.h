/* How a queue's depth went over the last looks. */
#ifndef HISTORY_H
#define HISTORY_H

#include <stddef.h>

#include "stat/figures.h"

#define HISTORY_LOOKS 40

struct history;

struct history *history_new(void);
void history_free(struct history *history);

/* Add a look; queues that are gone are forgotten. */
void history_note(struct history *history, const struct figures_list *figures);

/* The depths of the last `most` looks, the newest last: how many. */
size_t history_depths(const struct history *history, const char *queue, size_t most, double *ret_depths);

#endif
