/*
 * Aligned columns.
 *
 *     static const struct table_column columns[] = {{.title = "QUEUE"}, {.title = "READY", .right = true}};
 *     struct table *table = table_new(columns, 2);
 *     table_row(table, (const char *[]){"jobs", "12"});
 *     table_end(table);
 *
 * Rows are printed in batches of some hundreds, each aligned by itself, so that a listing of any length begins at once
 * and needs little memory. On a terminal a row is cut to the terminal's width, and a text that is cut ends with an
 * ellipsis.
 */
#ifndef TABLE_H
#define TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

struct table_column {
    const char *title;
    bool right;    /* aligned to the right, as figures are */
    size_t widest; /* on a terminal that is too narrow, texts are cut to this width; 0: they are not cut */
};

#define TABLE_GAP 2 /* blanks between columns */

/* Styles, for an output with colours: parameters of the control sequence SGR. */
#define TABLE_BOLD "1"
#define TABLE_DIM "2"
#define TABLE_RED "31"
#define TABLE_GREEN "32"

struct table;

/* A table on standard output. `columns` must live as long as the table. */
struct table *table_new(const struct table_column *columns, size_t count);

/* A table on any stream, with or without colours, cut to `width` columns; 0: not cut. */
struct table *table_new_on(FILE *stream, size_t width, bool colour, const struct table_column *columns, size_t count);

/* Add a row with a text for each column. The texts are copied. A table without rows shows its titles. */
void table_row(struct table *table, const char *const *texts);

/* The same with a style for each text. NULL, for one text or for `styles`: no style. */
void table_row_styled(struct table *table, const char *const *texts, const char *const *styles);

/* Print the last batch, and free the table. */
void table_end(struct table *table);

#endif
