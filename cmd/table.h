/*
 * Aligned columns.
 *
 *     static const struct table_column columns[] = {{.title = "QUEUE"}, {.title = "READY", .right = true}};
 *     struct table *table = table_new(columns, 2);
 *     table_row(table, (const char *[]){"jobs", "12"});
 *     table_end(table);
 *
 * Rows are printed by the hundred, aligned among themselves, so that a listing of any length begins at
 * once and needs little memory. On a terminal a row is cut to its width.
 */
#ifndef TABLE_H
#define TABLE_H

#include <stdbool.h>
#include <stddef.h>

struct table_column {
    const char *title;
    bool right;    /* figures stand to the right */
    size_t widest; /* on a terminal cut to so many columns; 0: not cut */
};

struct table;

struct table *table_new(const struct table_column *columns, size_t count);

/* A text for each column; they are copied. Without any row the table is its titles. */
void table_row(struct table *table, const char *const *texts);

/* Print what is left, and free the table. */
void table_end(struct table *table);

#endif
