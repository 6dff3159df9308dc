/*
 * What the live screen shows, and what its keys do: a list of queues, and a look into one of them.
 */
#ifndef SCREEN_H
#define SCREEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "stat/figures.h"
#include "stat/overview.h"

struct screen;

struct screen *screen_new(struct overview *overview, int64_t interval);
void screen_free(struct screen *screen);

/* The figures of a new look, and how many queues it could not see. They must live until the next one. */
void screen_note(struct screen *screen, const struct figures_list *figures, size_t unseen);

/* Do what a key says. False: leave. */
bool screen_key(struct screen *screen, int key);

/* 0 or a negative errno. */
int screen_draw(struct screen *screen);

#endif
