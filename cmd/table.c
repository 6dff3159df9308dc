/* Aligned columns. */
#include "table.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "output.h"
#include "text.h"

#define BATCH 256
#define GAP 2 /* blanks between columns */

struct table {
    const struct table_column *columns;
    size_t column_count, row_count;
    size_t terminal; /* its width, 0: none */
    char **cells;    /* BATCH rows of column_count; the titles are the first row of all */
    size_t *widths;  /* only growing, so that batches differ as little as can be */
};

static void add_row(struct table *table, const char *const *texts)
{
    for (size_t i = 0; i < table->column_count; i++) {
        char *cell = cli_must(strdup(texts[i]));
        if (table->terminal && table->columns[i].widest)
            cell[text_fit(cell, table->columns[i].widest)] = '\0';
        const size_t width = text_columns(cell);
        if (width > table->widths[i])
            table->widths[i] = width;
        table->cells[table->row_count * table->column_count + i] = cell;
    }
    table->row_count++;
}

struct table *table_new(const struct table_column *columns, size_t count)
{
    struct table *table = cli_must(calloc(1, sizeof *table));
    const char **titles = cli_must(calloc(count, sizeof *titles));
    table->columns = columns;
    table->column_count = count;
    table->terminal = output_columns();
    table->cells = cli_must(calloc(BATCH * count, sizeof *table->cells));
    table->widths = cli_must(calloc(count, sizeof *table->widths));
    for (size_t i = 0; i < count; i++)
        titles[i] = columns[i].title;
    add_row(table, titles);
    free(titles);
    return table;
}

/* Blanks at the end of a line would only make it wrap. */
static void print_row(const struct table *table, char *const *cells)
{
    size_t left = table->terminal ? table->terminal : SIZE_MAX, owed = 0;
    for (size_t i = 0; i < table->column_count && owed < left; i++) {
        const size_t width = text_columns(cells[i]), blanks = table->widths[i] - width;
        if (table->columns[i].right)
            owed += blanks;
        if (width > 0 && owed < left) {
            printf("%*s%.*s", (int)owed, "", (int)text_fit(cells[i], left - owed), cells[i]);
            left -= width < left - owed ? owed + width : left;
            owed = 0;
        }
        owed += GAP + (table->columns[i].right ? 0 : blanks);
    }
    putchar('\n');
}

static void print_batch(struct table *table)
{
    for (size_t row = 0; row < table->row_count; row++) {
        char **cells = table->cells + row * table->column_count;
        print_row(table, cells);
        for (size_t i = 0; i < table->column_count; i++)
            free(cells[i]);
    }
    table->row_count = 0;
}

void table_row(struct table *table, const char *const *texts)
{
    if (table->row_count == BATCH)
        print_batch(table);
    add_row(table, texts);
}

void table_end(struct table *table)
{
    print_batch(table);
    free(table->cells);
    free(table->widths);
    free(table);
}
