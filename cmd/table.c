/* Aligned columns. */
#include "table.h"

#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "output.h"
#include "text.h"

#define BATCH 256

struct cell {
    char *text;
    const char *style;
};

struct table {
    FILE *stream;
    const struct table_column *columns;
    size_t column_count, row_count;
    size_t terminal; /* its width, 0: none */
    bool colour;
    struct cell *cells; /* BATCH rows of column_count; the titles are the first row of all */
    size_t *widths;     /* only growing, so that batches differ as little as can be */
};

static void add_cell(struct table *table, size_t column, const char *text, const char *style)
{
    char *copy = cli_must(strdup(text));
    if (table->terminal && table->columns[column].widest)
        copy[text_fit(copy, table->columns[column].widest)] = '\0';
    const size_t width = text_columns(copy);
    if (width > table->widths[column])
        table->widths[column] = width;
    table->cells[table->row_count * table->column_count + column] = (struct cell){copy, style};
}

struct table *table_new_on(FILE *stream, size_t width, bool colour, const struct table_column *columns, size_t count)
{
    struct table *table = cli_must(calloc(1, sizeof *table));
    *table = (struct table){
        .stream = stream, .columns = columns, .column_count = count, .terminal = width, .colour = colour};
    table->cells = cli_must(calloc(BATCH * count, sizeof *table->cells));
    table->widths = cli_must(calloc(count, sizeof *table->widths));
    for (size_t i = 0; i < count; i++)
        add_cell(table, i, columns[i].title, TABLE_BOLD);
    table->row_count++;
    return table;
}

struct table *table_new(const struct table_column *columns, size_t count)
{
    return table_new_on(stdout, output_columns(), output_has_colour(), columns, count);
}

static void print_text(const struct table *table, const struct cell *cell, size_t blanks, size_t columns)
{
    const int length = (int)text_fit(cell->text, columns);
    if (cell->style && table->colour)
        fprintf(table->stream, "%*s\033[%sm%.*s\033[m", (int)blanks, "", cell->style, length, cell->text);
    else
        fprintf(table->stream, "%*s%.*s", (int)blanks, "", length, cell->text);
}

/* Blanks at the end of a line would only make it wrap. */
static void print_row(const struct table *table, const struct cell *cells)
{
    size_t left = table->terminal ? table->terminal : SIZE_MAX, owed = 0;
    for (size_t i = 0; i < table->column_count && owed < left; i++) {
        const size_t width = text_columns(cells[i].text), blanks = table->widths[i] - width;
        if (table->columns[i].right)
            owed += blanks;
        if (width > 0 && owed < left) {
            print_text(table, &cells[i], owed, left - owed);
            left -= width < left - owed ? owed + width : left;
            owed = 0;
        }
        owed += TABLE_GAP + (table->columns[i].right ? 0 : blanks);
    }
    putc('\n', table->stream);
}

static void print_batch(struct table *table)
{
    for (size_t row = 0; row < table->row_count; row++) {
        struct cell *cells = table->cells + row * table->column_count;
        print_row(table, cells);
        for (size_t i = 0; i < table->column_count; i++)
            free(cells[i].text);
    }
    table->row_count = 0;
}

void table_row_styled(struct table *table, const char *const *texts, const char *const *styles)
{
    if (table->row_count == BATCH)
        print_batch(table);
    for (size_t i = 0; i < table->column_count; i++)
        add_cell(table, i, texts[i], styles ? styles[i] : NULL);
    table->row_count++;
}

void table_row(struct table *table, const char *const *texts)
{
    table_row_styled(table, texts, NULL);
}

void table_end(struct table *table)
{
    print_batch(table);
    free(table->cells);
    free(table->widths);
    free(table);
}
