/* The overview of queues: a row each, as a table, as objects, or as a template says. */
#ifndef OVERVIEW_H
#define OVERVIEW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "stat/condition.h"
#include "stat/figures.h"

struct overview {
    const struct field **columns; /* of --format, up to a NULL; NULL: the usual ones */
    const char *template;         /* of --format, where it is one; NULL: none */
    const struct field *sort;     /* NULL: as the queues come, by name */
    bool descending;
    struct conditions filters;
};

/* Take the argument of --format: FIELD,FIELD... or a template with {FIELD}, \n and \t. NULL, or the text that is no
   field's name. */
const char *overview_parse_format(struct overview *overview, char *text);

/* Take the argument of --sort: FIELD, or -FIELD for the largest first. False: there is no such field. */
bool overview_parse_sort(struct overview *overview, const char *text);

/* Leave out what the filters do not want, and sort the rest. */
void overview_arrange(const struct overview *overview, struct figures_list *list);

/* Print them on standard output. */
void overview_print(const struct overview *overview, const struct figures_list *list);

/*
 * The usual table, for a terminal of so many columns (0: plain numbers, any width). `trail` is called for the last
 * column of each queue, and gets the room there is; NULL: a bar of its depth.
 */
typedef void overview_trail_fn(void *context, const struct figures *figures, size_t room, char *text, size_t size);
void overview_table(const struct overview *overview, const struct figures_list *list, FILE *stream, size_t width,
                    bool colour, overview_trail_fn *trail, void *context);

#endif
