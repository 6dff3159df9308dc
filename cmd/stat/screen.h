/*
 * What the live screen shows, and what its keys do: a list of queues, and a look into one of them.
 */
#ifndef SCREEN_H
#define SCREEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "stat/overview.h"
#include "stat/snapshot.h"

struct screen;

struct screen *screen_new(struct overview *overview, int64_t interval);
void screen_free(struct screen *screen);

/* Take the snapshots of a new look, and the number of queues and topics that could not be read. */
void screen_note(struct screen *screen, const struct snapshot_list lists[SNAPSHOT_KINDS], size_t unseen);

/* Act on a key. False: leave the screen. */
bool screen_key(struct screen *screen, int key);

/* Draw the screen: 0 or a negative errno. */
int screen_draw(struct screen *screen);

#endif
