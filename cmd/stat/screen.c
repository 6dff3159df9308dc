/* What the live screen shows, and what its keys do. */
#include "stat/screen.h"

#include "base/clock.h"
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/units.h"
#include "cli/cli.h"
#include "cli/output.h"
#include "stat/history.h"
#include "stat/queue_detail.h"
#include "term/bars.h"
#include "term/terminal.h"
#include "text/moment.h"
#include "text/text.h"

#define FRAME 5  /* lines that show no queue: the head, an empty line, the titles, two lines of the foot */
#define MARKER 2 /* columns in front of each queue */

struct screen {
    struct overview *overview;
    int64_t interval;
    struct snapshot_list list, topics; /* filtered and sorted, as they are shown */
    struct history *history;
    size_t unseen;
    char chosen[MQ_QUEUE_NAME_SIZE]; /* empty: the first one */
    bool near;                       /* the chosen queue is shown in detail */
    size_t first;                    /* the first queue that is shown */
    size_t page;                     /* how many are */
};

struct screen *screen_new(struct overview *overview, int64_t interval)
{
    struct screen *screen = cli_must(calloc(1, sizeof *screen));
    screen->overview = overview;
    screen->interval = interval;
    screen->history = history_new();
    return screen;
}

void screen_free(struct screen *screen)
{
    snapshots_release(&screen->list);
    snapshots_release(&screen->topics);
    history_free(screen->history);
    free(screen);
}

void screen_note(struct screen *screen, const struct snapshot_list lists[SNAPSHOT_KINDS], size_t unseen)
{
    screen->unseen = unseen;
    screen->list.count = screen->topics.count = 0;
    snapshots_append(&screen->list, &lists[SNAPSHOT_QUEUE]);
    snapshots_append(&screen->topics, &lists[SNAPSHOT_TOPIC]);
    history_note(screen->history, &lists[SNAPSHOT_QUEUE]);
    overview_arrange(screen->overview, &screen->list);
    overview_arrange(screen->overview, &screen->topics);
}

/* ---- keys ------------------------------------------------------------------------------- */

static size_t place_of_chosen(const struct screen *screen)
{
    for (size_t i = 0; i < screen->list.count; i++)
        if (strcmp(screen->list.items[i].queue, screen->chosen) == 0)
            return i;
    return 0;
}

static void choose(struct screen *screen, long place)
{
    const long last = (long)screen->list.count - 1;
    if (last < 0)
        return;
    place = place < 0 ? 0 : place > last ? last : place;
    memcpy(screen->chosen, screen->list.items[place].queue, sizeof screen->chosen);
}

/* Figures are sorted with the largest first, names from A on. The same key again reverses the order. */
static void sort_by(struct screen *screen, const char *name)
{
    struct overview *overview = screen->overview;
    const struct field *field = field_find(name, strlen(name));
    overview->descending = field == overview->sort ? !overview->descending : field->kind != FIELD_NAME;
    overview->sort = field;
    overview_arrange(overview, &screen->list);
}

static bool take_sort_key(struct screen *screen, int key)
{
    static const struct {
        char key;
        const char *field;
    } keys[] = {
        {'n', "queue"},  {'r', "ready"}, {'d', "delayed"}, {'f', "inflight"}, {'D', "dead"},
        {'o', "oldest"}, {'i', "in"},    {'u', "out"},     {'e', "errors"},   {'s', "bytes"},
    };
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        if (keys[i].key == key) {
            sort_by(screen, keys[i].field);
            return true;
        }
    return false;
}

static void move(struct screen *screen, int key)
{
    const long place = (long)place_of_chosen(screen), page = (long)screen->page;
    switch (key) {
    case TERMINAL_UP:
    case 'k':
        choose(screen, place - 1);
        break;
    case TERMINAL_DOWN:
    case 'j':
        choose(screen, place + 1);
        break;
    case TERMINAL_PAGE_UP:
        choose(screen, place - page);
        break;
    case TERMINAL_PAGE_DOWN:
        choose(screen, place + page);
        break;
    case TERMINAL_HOME:
        choose(screen, 0);
        break;
    case TERMINAL_END:
        choose(screen, (long)screen->list.count);
        break;
    }
}

bool screen_key(struct screen *screen, int key)
{
    switch (key) {
    case 'q':
    case 'Q':
        return false;
    case '\n':
    case '\r':
    case TERMINAL_RIGHT:
        choose(screen, (long)place_of_chosen(screen));
        screen->near = screen->list.count > 0;
        break;
    case TERMINAL_ESCAPE:
    case TERMINAL_LEFT:
    case 0x7f: /* backspace */
    case '\b':
        screen->near = false;
        break;
    default:
        if (!take_sort_key(screen, key))
            move(screen, key);
    }
    return true;
}

/* ---- drawing ---------------------------------------------------------------------------- */

static void print_fitting(FILE *stream, const char *text, size_t columns)
{
    fprintf(stream, "%.*s\n", (int)text_fit(text, columns), text);
}

static void print_head(const struct screen *screen, FILE *stream, size_t columns)
{
    char spool[PATH_MAX], escaped[TEXT_ESCAPED(PATH_MAX)], time[MOMENT_SIZE], every[UNITS_TEXT_SIZE];
    char line[sizeof escaped + 160], unseen[48] = "";
    if (mq_spool_path(cli_spool, spool, sizeof spool) < 0)
        spool[0] = '\0';
    text_escape(spool, strlen(spool), "", escaped);
    moment_format(clock_now(), time);
    units_format_duration(screen->interval, every);
    if (screen->unseen > 0)
        snprintf(unseen, sizeof unseen, "   %zu cannot be seen", screen->unseen);
    const struct overview *overview = screen->overview;
    const char *by = overview->sort && overview->sort->kind != FIELD_NAME ? overview->sort->name : "name";
    snprintf(line, sizeof line, "%.8s UTC   every %s   %zu queue%s by %s%s%s   %s",
             strchr(time, 'T') ? strchr(time, 'T') + 1 : "", every, screen->list.count,
             screen->list.count == 1 ? "" : "s", overview->descending ? "-" : "", by, unseen, escaped);
    print_fitting(stream, line, columns);
    fputc('\n', stream);
}

static void draw_history(void *context, const struct snapshot *snapshot, size_t room, char *text, size_t size)
{
    double depths[HISTORY_LOOKS];
    (void)size;
    const size_t most = room < HISTORY_LOOKS ? room : HISTORY_LOOKS;
    bars_sparkline(depths, history_depths(context, snapshot->queue, most, depths), output_has_utf8(), text);
}

/* Scroll so that the chosen queue is visible. */
static void scroll(struct screen *screen, size_t rows)
{
    const size_t chosen = place_of_chosen(screen), count = screen->list.count;
    screen->page = rows > FRAME ? rows - FRAME : 1;
    if (chosen < screen->first)
        screen->first = chosen;
    if (chosen >= screen->first + screen->page)
        screen->first = chosen - screen->page + 1;
    if (screen->first + screen->page > count)
        screen->first = count > screen->page ? count - screen->page : 0;
}

/* Print the table's titles and the visible queues. The line of the chosen queue has a marker in front. */
static void print_lines(const struct screen *screen, FILE *stream, const char *text)
{
    const size_t chosen = place_of_chosen(screen);
    for (size_t line = 0; *text; line++) {
        const size_t length = strcspn(text, "\n");
        const size_t queue = line - 1;
        const bool shown = line == 0 || (queue >= screen->first && queue < screen->first + screen->page);
        if (shown)
            fprintf(stream, "%s%.*s\n", line > 0 && queue == chosen ? "> " : "  ", (int)length, text);
        text += length + (text[length] == '\n');
    }
}

/* How many topics there is room for below the queues: a third of the screen, with an empty line and the titles. */
static size_t topics_shown(const struct screen *screen, size_t rows)
{
    const size_t room = rows / 3 > 2 ? rows / 3 - 2 : 0, count = screen->topics.count;
    return !overview_shows(screen->overview, SNAPSHOT_TOPIC) ? 0 : count < room ? count : room;
}

static void print_topics(const struct screen *screen, FILE *stream, size_t columns, size_t most)
{
    char *text = NULL;
    size_t size = 0;
    FILE *table = cli_must(open_memstream(&text, &size));
    overview_table(screen->overview, &screen->topics, table, columns > MARKER ? columns - MARKER : 1,
                   output_has_colour(), NULL, NULL);
    if (fclose(table) != 0)
        cli_must(NULL);
    fputc('\n', stream);
    const char *at = text;
    for (size_t line = 0; line <= most && *at; line++) {
        const size_t length = strcspn(at, "\n");
        fprintf(stream, "  %.*s\n", (int)length, at);
        at += length + (at[length] == '\n');
    }
    free(text);
}

static void print_queues(struct screen *screen, FILE *stream, size_t columns, size_t rows)
{
    char *text = NULL;
    size_t size = 0;
    const size_t topics = topics_shown(screen, rows);
    FILE *table = cli_must(open_memstream(&text, &size));
    scroll(screen, topics ? rows - topics - 2 : rows);
    overview_table(screen->overview, &screen->list, table, columns > MARKER ? columns - MARKER : 1, output_has_colour(),
                   draw_history, screen->history);
    if (fclose(table) != 0)
        cli_must(NULL);
    print_lines(screen, stream, text);
    free(text);
    if (topics)
        print_topics(screen, stream, columns, topics);
    print_fitting(stream, "q quit   Enter look into   Space look now   the same key again: reverse order", columns);
    print_fitting(stream, "sort: n name r ready d delayed f flight D dead o oldest i in u out e err s size", columns);
}

static void print_near(const struct screen *screen, FILE *stream, size_t columns, size_t rows)
{
    const struct snapshot *snapshot = snapshots_find(&screen->list, screen->chosen);
    char line[MQ_QUEUE_NAME_SIZE + 64];
    snprintf(line, sizeof line, "%s%s   (Esc back, q quit)", screen->chosen, snapshot ? "" : " is gone");
    print_fitting(stream, line, columns);
    if (snapshot)
        queue_detail_print(stream, snapshot, columns, rows > 3 ? rows - 3 : 1, output_has_colour());
}

int screen_draw(struct screen *screen)
{
    char *text = NULL;
    size_t size = 0, columns, rows;
    terminal_size(&columns, &rows);
    FILE *stream = cli_must(open_memstream(&text, &size));
    print_head(screen, stream, columns);
    if (screen->near)
        print_near(screen, stream, columns, rows);
    else
        print_queues(screen, stream, columns, rows);
    const int error = fclose(stream) == 0 ? terminal_draw(text, size) : -ENOMEM;
    free(text);
    return error;
}
