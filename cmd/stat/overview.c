/* The overview of queues. */
#include "stat/overview.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/output.h"
#include "message/json_write.h"
#include "term/bars.h"
#include "term/table.h"
#include "text/text.h"

/* The least and the largest width of a bar. A shorter one would say nothing; a longer one would say no more. */
#define BAR_LEAST 6
#define BAR_MOST 40

/* An error rate that is shown in red. */
#define MANY_ERRORS 1.0

/* ---- what is asked for -------------------------------------------------------------- */

static const char *parse_template(struct overview *overview, const char *text)
{
    overview->template = text;
    for (const char *at = strchr(text, '{'); at; at = strchr(at + 1, '{'))
        if (!field_find(at + 1, strcspn(at + 1, "}")) || !strchr(at, '}'))
            return at;
    return NULL;
}

const char *overview_parse_format(struct overview *overview, char *text)
{
    size_t count = 0;
    if (strchr(text, '{'))
        return parse_template(overview, text);
    overview->columns = cli_must(calloc(strlen(text) + 2, sizeof *overview->columns));
    for (char *word = text;; word++) {
        const size_t length = strcspn(word, ",");
        const struct field *field = field_find(word, length);
        if (!field) {
            word[length] = '\0';
            return word;
        }
        overview->columns[count++] = field;
        word += length;
        if (!*word)
            return NULL;
    }
}

bool overview_parse_sort(struct overview *overview, const char *text)
{
    overview->descending = *text == '-';
    text += overview->descending;
    overview->sort = field_find(text, strlen(text));
    return overview->sort != NULL;
}

/* ---- order -------------------------------------------------------------------------- */

static int compare_numbers(double one, double other)
{
    if (isnan(one) || isnan(other))
        return isnan(other) - isnan(one); /* a missing value comes before all others */
    return (one > other) - (one < other);
}

static int compare(const void *one, const void *other, void *context)
{
    const struct overview *overview = context;
    const struct snapshot *a = one, *b = other;
    int order = strcmp(a->queue, b->queue);
    if (overview->sort && overview->sort->kind != FIELD_NAME) {
        const int by_value = compare_numbers(field_value(overview->sort, a), field_value(overview->sort, b));
        if (by_value)
            return overview->descending ? -by_value : by_value;
    } else if (overview->descending) {
        order = -order;
    }
    return order;
}

void overview_arrange(const struct overview *overview, struct snapshot_list *list)
{
    size_t kept = 0;
    for (size_t i = 0; i < list->count; i++)
        if (conditions_hold(&overview->filters, &list->items[i]))
            list->items[kept++] = list->items[i];
    list->count = kept;
    if (overview->sort)
        qsort_r(list->items, list->count, sizeof *list->items, compare, (void *)overview);
}

/* ---- a template --------------------------------------------------------------------- */

static void print_escape(char letter)
{
    static const char letters[] = "nt0\\", meant[] = "\n\t\0\\";
    const char *at = letter ? strchr(letters, letter) : NULL;
    if (at) {
        putchar(meant[at - letters]);
        return;
    }
    putchar('\\');
    if (letter)
        putchar(letter);
}

static void print_template(const char *template, const struct snapshot *snapshot)
{
    char text[FIELD_TEXT_SIZE];
    for (const char *at = template; *at; at++) {
        if (*at == '{') {
            const size_t length = strcspn(at + 1, "}");
            field_text(field_find(at + 1, length), snapshot, false, text);
            fputs(text, stdout);
            at += length + 1;
        } else if (*at == '\\') {
            print_escape(at[1]);
            at += at[1] != '\0';
        } else {
            putchar(*at);
        }
    }
    putchar('\n');
}

/* ---- the table ---------------------------------------------------------------------- */

#define USUAL_MOST 10

static bool any_is_paused(const struct snapshot_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        if (list->items[i].stats.paused)
            return true;
    return false;
}

static const struct field **usual_columns(enum snapshot_kind kind, const struct snapshot_list *list)
{
    static const char *const names[SNAPSHOT_KINDS][USUAL_MOST] = {
        {"queue", "ready", "delayed", "inflight", "dead", "oldest", "in", "out", "errors", "bytes"},
        {"topic", "bindings", "published", "routed", "unroutable"},
        {"transactions_open", "transactions_unfinished"},
    };
    const struct field **columns = cli_must(calloc(USUAL_MOST + 2, sizeof *columns));
    for (size_t i = 0; i < USUAL_MOST && names[kind][i]; i++)
        columns[i] = field_find(names[kind][i], strlen(names[kind][i]));
    if (any_is_paused(list))
        columns[USUAL_MOST] = field_find("paused", strlen("paused"));
    return columns;
}

static enum snapshot_kind kind_of(const struct snapshot_list *list)
{
    return list->count > 0 ? list->items[0].kind : SNAPSHOT_QUEUE;
}

struct layout {
    const struct field *const *fields;
    size_t count; /* the fields; a trail is one more column */
    struct table_column *columns;
    size_t trail; /* the width of the trail; 0: there is none */
    double deepest;
};

static struct layout lay_out(const struct field *const *columns)
{
    struct layout layout = {.fields = columns};
    while (columns[layout.count])
        layout.count++;
    layout.columns = cli_must(calloc(layout.count + 1, sizeof *layout.columns));
    for (size_t i = 0; i < layout.count; i++)
        layout.columns[i] = (struct table_column){columns[i]->title, columns[i]->kind != FIELD_NAME, 0};
    layout.columns[layout.count].title = "DEPTH";
    return layout;
}

/* Calculate the width that the fields leave of a row for the trail. */
static void measure(struct layout *layout, const struct snapshot_list *list, size_t width)
{
    char text[FIELD_TEXT_SIZE];
    size_t used = 0;
    for (size_t i = 0; i < layout->count; i++) {
        size_t widest = text_columns(layout->columns[i].title);
        for (size_t row = 0; row < list->count; row++) {
            field_text(layout->fields[i], &list->items[row], true, text);
            const size_t columns = text_columns(text);
            widest = columns > widest ? columns : widest;
        }
        used += widest + TABLE_GAP;
    }
    for (size_t row = 0; row < list->count; row++)
        if ((double)list->items[row].stats.count[MQ_READY] > layout->deepest)
            layout->deepest = (double)list->items[row].stats.count[MQ_READY];
    layout->trail = width < used + BAR_LEAST ? 0 : width - used < BAR_MOST ? width - used : BAR_MOST;
}

/* Errors and dead letters are red, since a person must look at them. */
static const char *style_of(const struct field *field, const struct snapshot *snapshot)
{
    const double value = field->kind == FIELD_NAME ? 0 : field_value(field, snapshot);
    if (field->kind == FIELD_PERCENT && value > MANY_ERRORS)
        return TABLE_RED;
    if (strcmp(field->name, "dead") == 0 && value > 0)
        return TABLE_RED;
    return field->kind == FIELD_COUNT && value == 0 ? TABLE_DIM : NULL;
}

static void draw_bar(void *context, const struct snapshot *snapshot, size_t room, char *text, size_t size)
{
    const struct layout *layout = context;
    (void)size;
    bars_bar((double)snapshot->stats.count[MQ_READY], layout->deepest, room, output_has_utf8(), text);
}

static void add_row(struct table *table, const struct layout *layout, const struct snapshot *snapshot, bool human,
                    overview_trail_fn *trail, void *context)
{
    char(*texts)[FIELD_TEXT_SIZE] = cli_must(calloc(layout->count + 1, sizeof *texts));
    const char **cells = cli_must(calloc(layout->count + 1, sizeof *cells));
    const char **styles = cli_must(calloc(layout->count + 1, sizeof *styles));
    for (size_t i = 0; i < layout->count; i++) {
        field_text(layout->fields[i], snapshot, human, texts[i]);
        cells[i] = texts[i];
        styles[i] = style_of(layout->fields[i], snapshot);
    }
    if (layout->trail)
        trail(context, snapshot, layout->trail, texts[layout->count], FIELD_TEXT_SIZE);
    cells[layout->count] = texts[layout->count];
    styles[layout->count] = TABLE_GREEN;
    table_row_styled(table, cells, styles);
    free(texts);
    free(cells);
    free(styles);
}

void overview_table(const struct overview *overview, const struct snapshot_list *list, FILE *stream, size_t width,
                    bool colour, overview_trail_fn *trail, void *context)
{
    const enum snapshot_kind kind = kind_of(list);
    const struct field **columns = overview->columns ? overview->columns : usual_columns(kind, list);
    struct layout layout = lay_out(columns);
    if (width > 0 && !overview->columns && kind == SNAPSHOT_QUEUE)
        measure(&layout, list, width);
    struct table *table = table_new_on(stream, width, colour, layout.columns, layout.count + (layout.trail > 0));
    for (size_t i = 0; i < list->count; i++)
        add_row(table, &layout, &list->items[i], width > 0, trail ? trail : draw_bar, trail ? context : &layout);
    table_end(table);
    free(layout.columns);
    if (!overview->columns)
        free(columns);
}

void overview_print(const struct overview *overview, const struct snapshot_list *list)
{
    if (!cli_json && !overview->template) {
        overview_table(overview, list, stdout, output_columns(), output_has_colour(), NULL, NULL);
        return;
    }
    for (size_t i = 0; i < list->count; i++)
        if (cli_json)
            json_print(field_object(&list->items[i], overview->columns));
        else
            print_template(overview->template, &list->items[i]);
}

/* ---- sections ----------------------------------------------------------------------- */

static bool has_kind_in_template(const char *template, enum snapshot_kind kind)
{
    bool any = false;
    for (const char *at = strchr(template, '{'); at; at = strchr(at + 1, '{')) {
        any = true;
        if (field_find(at + 1, strcspn(at + 1, "}"))->kind_of == kind)
            return true;
    }
    return !any && kind == SNAPSHOT_QUEUE;
}

bool overview_shows(const struct overview *overview, enum snapshot_kind kind)
{
    if (overview->template)
        return has_kind_in_template(overview->template, kind);
    for (const struct field *const *column = overview->columns; column && *column; column++)
        if ((*column)->kind_of == kind)
            return true;
    return !overview->columns;
}

static bool is_empty(const struct snapshot_list *list)
{
    return list->count == 0 ||
           (kind_of(list) == SNAPSHOT_SPOOL && list->items[0].open == 0 && list->items[0].unfinished == 0);
}

void overview_print_all(const struct overview *overview, const struct snapshot_list lists[SNAPSHOT_KINDS])
{
    bool any = false;
    for (enum snapshot_kind kind = SNAPSHOT_QUEUE; kind < SNAPSHOT_KINDS; kind++) {
        const bool is_wanted = overview_shows(overview, kind);
        const bool is_lone = kind == SNAPSHOT_QUEUE && is_empty(&lists[SNAPSHOT_TOPIC]);
        if (!is_wanted || (is_empty(&lists[kind]) && !is_lone && !(overview->columns || overview->template)))
            continue;
        if (any && !cli_json && !overview->template)
            putchar('\n');
        overview_print(overview, &lists[kind]);
        any = true;
    }
}
