/* The depths of queues at the last looks. */
#ifndef HISTORY_H
#define HISTORY_H

#include <stddef.h>

#include "stat/snapshot.h"

#define HISTORY_LOOKS 40

struct history;

struct history *history_new(void);
void history_free(struct history *history);

/* Add a look. A queue that is not in the look is forgotten. */
void history_note(struct history *history, const struct snapshot_list *snapshot);

/* The depths of the last `most` looks, the newest last. Returns how many there are. */
size_t history_depths(const struct history *history, const char *queue, size_t most, double *ret_depths);

#endif
