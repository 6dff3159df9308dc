/*
 * Aligned columns.
 *
 *     static const struct table_column columns[] = {{.title = "QUEUE"}, {.title = "READY", .right = true}};
 *     struct table *table = table_new(columns, 2);
 *     table_row(table, (const char *[]){"jobs", "12"});
 *     table_end(table);
 *
 * Rows are printed by the hundred, aligned among themselves, so that a listing of any length begins at
 * once and needs little memory. On a terminal a row is cut to its width, and what is cut ends with an ellipsis.
 */
#ifndef TABLE_H
#define TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

struct table_column {
    const char *title;
    bool right;    /* figures stand to the right */
    size_t widest; /* cut to so many columns on a terminal that has not room for all; 0: not cut */
};

#define TABLE_GAP 2 /* blanks between columns */

/* How a text is shown where colours are: parameters of the control sequence SGR. */
#define TABLE_BOLD "1"
#define TABLE_DIM "2"
#define TABLE_RED "31"
#define TABLE_GREEN "32"

struct table;

/* A table on standard output. `columns` must live as long as the table. */
struct table *table_new(const struct table_column *columns, size_t count);

/* One for somebody else to show: on a stream, as wide as said (0: any width), with colours or without. */
struct table *table_new_on(FILE *stream, size_t width, bool colour, const struct table_column *columns, size_t count);

/* A text for each column; they are copied. Without any row the table is its titles. */
void table_row(struct table *table, const char *const *texts);

/* The same, each shown in a style of its own; NULL: as it is. */
void table_row_styled(struct table *table, const char *const *texts, const char *const *styles);

/* Print what is left, and free the table. */
void table_end(struct table *table);

#endif
