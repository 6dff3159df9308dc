/* Tables: how columns are aligned, what becomes of no rows, of wide characters, of a narrow screen, and of colours. */
#include "term/table.h"

#include <stdlib.h>

#include "text/text.h"
#include "unit.h"

static const struct table_column columns[] = {{.title = "QUEUE"}, {.title = "READY", .right = true}};

struct row {
    const char *texts[2];
};

/* What a table shows with these rows; the caller frees it. */
static char *shown(size_t width, bool colour, const struct row *rows, size_t count, const char *const *styles)
{
    char *text = NULL;
    size_t size;
    FILE *stream = open_memstream(&text, &size);
    if (!EXPECT(stream != NULL))
        exit(1);
    struct table *table = table_new_on(stream, width, colour, columns, 2);
    for (size_t i = 0; i < count; i++)
        if (styles)
            table_row_styled(table, rows[i].texts, styles);
        else
            table_row(table, rows[i].texts);
    table_end(table);
    fclose(stream);
    return text;
}

static void alignment(void)
{
    static const struct row rows[] = {{{"jobs", "12"}}, {{"invoices", "1234567"}}, {{"\xC3\xA9t\xC3\xA9", "0"}}};
    char *text = shown(0, false, rows, 3, NULL);
    EXPECT_TEXT(text, "QUEUE       READY\n"
                      "jobs           12\n"
                      "invoices  1234567\n"
                      "\xC3\xA9t\xC3\xA9             0\n");
    free(text);
    text = shown(0, false, NULL, 0, NULL);
    EXPECT_TEXT(text, "QUEUE  READY\n");
    free(text);
}

static void narrow(void)
{
    static const struct row rows[] = {{{"a-queue-with-a-long-name", "12"}},
                                      {{"\xE6\xBC\xA2\xE5\xAD\x97\xE6\xBC\xA2", "1"}}};
    for (size_t width = 1; width < 40; width++) {
        char *text = shown(width, false, rows, 2, NULL);
        char *rest = text;
        for (const char *line; (line = strsep(&rest, "\n"));)
            EXPECT(text_columns(line) <= width && text_is_utf8(line, strlen(line)));
        free(text);
    }
}

static void colours(void)
{
    static const struct row rows[] = {{{"jobs", "12"}}};
    static const char *const styles[] = {TABLE_RED, NULL};
    char *plain = shown(0, false, rows, 1, styles), *coloured = shown(0, true, rows, 1, styles);
    EXPECT(!strchr(plain, '\033'));
    EXPECT(strstr(coloured, "\033[31mjobs") && strstr(coloured, "jobs\033["));
    free(plain);
    free(coloured);
}

/* More rows than are printed at a time come out, all of them and in order. */
static void many(void)
{
    enum { ROWS = 1001 };
    static char names[ROWS][8];
    static struct row rows[ROWS];
    for (size_t i = 0; i < ROWS; i++) {
        snprintf(names[i], sizeof names[i], "q%04zu", i);
        rows[i].texts[0] = names[i];
        rows[i].texts[1] = "0";
    }
    char *text = shown(0, false, rows, ROWS, NULL), *at = text;
    for (size_t i = 0; i < ROWS && EXPECT(at); i++)
        at = strstr(at, names[i]);
    free(text);
}

int main(void)
{
    alignment();
    narrow();
    colours();
    many();
    return unit_failures > 0;
}
