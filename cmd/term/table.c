/* Aligned columns. */
#include "term/table.h"

#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/output.h"
#include "text/text.h"

#define BATCH 256

/* The least width that the other columns leave to the last one. The last column is cut at the edge of the terminal. */
#define LAST_LEAST ((size_t)16)

struct cell {
    char *text;
    const char *style;
};

struct table {
    FILE *stream;
    const struct table_column *columns;
    size_t column_count, row_count;
    size_t terminal; /* the width of the terminal; 0: there is none */
    bool colour;
    struct cell *cells; /* BATCH rows of column_count cells; the first row of the first batch holds the titles */
    size_t *widths;     /* they only grow from batch to batch, so that batches differ little */
};

static void add_cell(struct table *table, size_t column, const char *text, const char *style)
{
    char *copy = cli_must(strdup(text));
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

/* Calculate the width at which each column is shown. If not all columns fit, those that have a `widest` are cut. */
static void fit_columns(const struct table *table, size_t *shown)
{
    const size_t last = table->column_count - 1;
    size_t total = table->column_count * TABLE_GAP;
    for (size_t i = 0; i < table->column_count; i++) {
        shown[i] = table->widths[i];
        total += i == last && shown[i] > LAST_LEAST ? LAST_LEAST : shown[i];
    }
    for (size_t i = 0; i < last && table->terminal; i++) {
        const size_t widest = table->columns[i].widest, over = total > table->terminal ? total - table->terminal : 0;
        if (widest == 0 || shown[i] <= widest)
            continue;
        const size_t less = over < shown[i] - widest ? over : shown[i] - widest;
        shown[i] -= less;
        total -= less;
    }
}

/* A text that is cut ends with an ellipsis, if there is room for one. */
static void print_text(const struct table *table, const struct cell *cell, size_t blanks, size_t columns)
{
    const char *const ellipsis = output_has_utf8() ? "…" : "...";
    const bool marked = text_columns(cell->text) > columns && columns > text_columns(ellipsis);
    const int length = (int)text_fit(cell->text, marked ? columns - text_columns(ellipsis) : columns);
    const char *const mark = marked ? ellipsis : "";
    if (cell->style && table->colour)
        fprintf(table->stream, "%*s\033[%sm%.*s%s\033[m", (int)blanks, "", cell->style, length, cell->text, mark);
    else
        fprintf(table->stream, "%*s%.*s%s", (int)blanks, "", length, cell->text, mark);
}

/* Blanks are printed only before a text, since blanks at the end of a line could make it wrap. */
static void print_row(const struct table *table, const struct cell *cells, const size_t *shown)
{
    size_t left = table->terminal ? table->terminal : SIZE_MAX, owed = 0;
    for (size_t i = 0; i < table->column_count && owed < left; i++) {
        const size_t natural = text_columns(cells[i].text), width = natural < shown[i] ? natural : shown[i];
        const size_t blanks = shown[i] - width;
        if (table->columns[i].right)
            owed += blanks;
        if (width > 0 && owed < left) {
            print_text(table, &cells[i], owed, width < left - owed ? width : left - owed);
            left -= width < left - owed ? owed + width : left;
            owed = 0;
        }
        owed += TABLE_GAP + (table->columns[i].right ? 0 : blanks);
    }
    putc('\n', table->stream);
}

static void print_batch(struct table *table)
{
    size_t *shown = cli_must(calloc(table->column_count, sizeof *shown));
    fit_columns(table, shown);
    for (size_t row = 0; row < table->row_count; row++) {
        struct cell *cells = table->cells + row * table->column_count;
        print_row(table, cells, shown);
        for (size_t i = 0; i < table->column_count; i++)
            free(cells[i].text);
    }
    table->row_count = 0;
    free(shown);
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
