/* A bar on the terminal that is the standard error. */
#include "term/progress.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/units.h"
#include "cli/cli.h"
#include "cli/output.h"
#include "term/bars.h"
#include "text/human.h"
#include "text/text.h"

#define DRAW_EVERY (CLOCK_SECOND / 10)
#define RATE_OVER 5.0 /* seconds: the rate is averaged over about the last so many */
#define BAR_LEAST ((size_t)8)
#define USUAL_COLUMNS 80

#define ERASE "\r\033[K"

struct progress {
    struct progress_figures figures;
    int64_t begun, drawn_at;
    uint64_t messages_then; /* when it was drawn last */
    double done_then, done, total;
    double done_rate; /* of `done` a second */
};

static bool is_shown; /* the bar is on the terminal, and the cursor behind it */

/* ---- the line ----------------------------------------------------------------------- */

static void format_left(double left, char *text, size_t size)
{
    const uint64_t seconds = left < 1e7 ? (uint64_t)(left + 0.5) : 0;
    if (left < 0 || left >= 1e7)
        *text = '\0';
    else if (seconds < 3600)
        snprintf(text, size, "  %u:%02u left", (unsigned)(seconds / 60), (unsigned)(seconds % 60));
    else
        snprintf(text, size, "  %u:%02u:%02u left", (unsigned)(seconds / 3600), (unsigned)(seconds / 60 % 60),
                 (unsigned)(seconds % 60));
}

void progress_format(const struct progress_figures *figures, size_t columns, bool utf8, char text[PROGRESS_LINE_SIZE])
{
    char rate[HUMAN_SIZE], left[32], tail[128], share[16] = "", bar[BARS_SIZE(PROGRESS_COLUMNS_MOST)] = "";
    human_number(figures->rate, rate);
    format_left(figures->share < 0 ? -1 : figures->left, left, sizeof left);
    snprintf(tail, sizeof tail, "%ju %s  %s/s%s", (uintmax_t)figures->messages, figures->verb, rate, left);
    if (columns > PROGRESS_COLUMNS_MOST)
        columns = PROGRESS_COLUMNS_MOST;
    if (figures->share >= 0)
        snprintf(share, sizeof share, "%3d%% ", (int)(figures->share * 100));
    const size_t taken = strlen(share) + strlen(tail) + 3; /* the last column stays free: some terminals wrap there */
    const size_t width = figures->share >= 0 && columns > taken + BAR_LEAST ? columns - taken : 0;
    if (width > 0)
        bars_bar(figures->share, 1, width, utf8, bar);
    const size_t blanks = width > 0 ? width - text_columns(bar) + 2 : 0;
    const int length = snprintf(text, PROGRESS_LINE_SIZE, "%s%s%*s%s", share, bar, (int)blanks, "", tail);
    if (width == 0 && (size_t)length >= columns && columns > 0)
        text[columns - 1] = '\0'; /* without a bar all of it is ASCII */
}

/* ---- drawing ------------------------------------------------------------------------ */

static void say(const char *text, size_t size)
{
    if (write(STDERR_FILENO, text, size) < 0)
        return; /* the terminal is gone */
}

static void erase(void)
{
    if (is_shown)
        say(ERASE, sizeof ERASE - 1);
    is_shown = false;
}

static size_t columns_of_terminal(void)
{
    struct winsize window;
    const bool told = ioctl(STDERR_FILENO, TIOCGWINSZ, &window) == 0 && window.ws_col > 0;
    return told ? window.ws_col : USUAL_COLUMNS;
}

/* The average of the last seconds, in which what is long ago counts less and less. */
static void average(struct progress *progress, int64_t now)
{
    const double passed = (double)(now - progress->drawn_at) / (double)CLOCK_SECOND,
                 all = (double)(now - progress->begun) / (double)CLOCK_SECOND;
    const double span = all < RATE_OVER ? all : RATE_OVER, weight = span > passed ? passed / span : 1;
    if (passed <= 0)
        return;
    const double rate = (double)(progress->figures.messages - progress->messages_then) / passed,
                 done_rate = (progress->done - progress->done_then) / passed;
    progress->figures.rate += weight * (rate - progress->figures.rate);
    progress->done_rate += weight * (done_rate - progress->done_rate);
}

static void draw(struct progress *progress, int64_t now, const char *end)
{
    char line[PROGRESS_LINE_SIZE], out[PROGRESS_LINE_SIZE + 16];
    struct progress_figures *figures = &progress->figures;
    average(progress, now);
    const double total = progress->total > progress->done ? progress->total : progress->done;
    figures->share = progress->total > 0 ? progress->done / total : -1;
    figures->left = progress->done_rate > 0 ? (total - progress->done) / progress->done_rate : -1;
    progress_format(figures, columns_of_terminal(), output_has_utf8(), line);
    const int size = snprintf(out, sizeof out, ERASE "%s%s", line, end);
    say(out, (size_t)size);
    is_shown = *end == '\0';
    progress->drawn_at = now;
    progress->messages_then = figures->messages;
    progress->done_then = progress->done;
}

/* ---- the interface ------------------------------------------------------------------ */

struct progress *progress_new(const char *verb)
{
    if (!isatty(STDERR_FILENO) || output_is_dumb())
        return NULL;
    struct progress *progress = cli_must(calloc(1, sizeof *progress));
    progress->figures.verb = verb;
    progress->begun = progress->drawn_at = clock_monotonic();
    cli_before_say = erase;
    return progress;
}

bool progress_is_due(const struct progress *progress)
{
    return progress && clock_monotonic() - progress->drawn_at >= DRAW_EVERY;
}

void progress_update(struct progress *progress, uint64_t messages, uint64_t done, uint64_t total)
{
    if (!progress)
        return;
    progress->figures.messages = messages;
    progress->done = (double)done;
    progress->total = (double)total;
    if (progress_is_due(progress))
        draw(progress, clock_monotonic(), "");
}

/* At the end the rate is that of all the time. */
void progress_end(struct progress *progress)
{
    if (!progress)
        return;
    const int64_t now = clock_monotonic();
    const double seconds = (double)(now - progress->begun) / (double)CLOCK_SECOND;
    progress->drawn_at = now;
    progress->figures.rate = seconds > 0 ? (double)progress->figures.messages / seconds : 0;
    progress->done_rate = 0;
    draw(progress, now, "\n");
    cli_before_say = NULL;
    free(progress);
}
