/* The overview: a row for each queue, as a table, as objects, or by a template. */
#ifndef OVERVIEW_H
#define OVERVIEW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "stat/condition.h"
#include "stat/snapshot.h"

struct overview {
    const struct field **columns; /* of --format, ending with NULL; NULL: the usual ones */
    const char *template;         /* of --format, if it is a template; else NULL */
    const struct field *sort;     /* NULL: sort by name */
    bool descending;
    struct conditions filters;
};

/* Take the argument of --format: FIELD,FIELD... or a template with {FIELD}, \n and \t. Returns NULL, or the part that
   names no field. */
const char *overview_parse_format(struct overview *overview, char *text);

/* Take the argument of --sort: FIELD, or -FIELD for the largest first. False: there is no such field. */
bool overview_parse_sort(struct overview *overview, const char *text);

/* Remove the queues that a filter rejects, and sort the others. */
void overview_arrange(const struct overview *overview, struct snapshot_list *list);

/* Whether such things have any of the figures that are asked for. */
bool overview_shows(const struct overview *overview, enum snapshot_kind kind);

/* Print all lists on standard output, each in a section of its own; with --format only what has one of the figures. Of
   transactions nothing is printed while there are none. */
void overview_print_all(const struct overview *overview, const struct snapshot_list lists[SNAPSHOT_KINDS]);

/* Print the list of queues on standard output. */
void overview_print(const struct overview *overview, const struct snapshot_list *list);

/*
 * The usual table, for a terminal with `width` columns (0: plain numbers, any width). `trail` writes the last column of
 * a queue into the room that is left in its row; NULL: a bar of its depth.
 */
typedef void overview_trail_fn(void *context, const struct snapshot *snapshot, size_t room, char *text, size_t size);
void overview_table(const struct overview *overview, const struct snapshot_list *list, FILE *stream, size_t width,
                    bool colour, overview_trail_fn *trail, void *context);

#endif
