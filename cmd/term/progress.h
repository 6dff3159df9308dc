/*
 * A bar on the terminal that is the standard error: how much of a lot of work is done, how fast, and how long the rest will
 * take. If standard error is no terminal, or one without control sequences, nothing is shown.
 *
 *     struct progress *progress = progress_new("sent");       NULL: nothing is shown
 *     progress_update(progress, messages, done, total);        as often as one likes
 *     progress_end(progress);
 *
 * Whatever a program writes to the terminal through cli_say or an outlet takes the place of the bar, which is drawn again.
 */
#ifndef PROGRESS_H
#define PROGRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct progress;

/* `verb` says what is done with messages. */
struct progress *progress_new(const char *verb);

/* Whether it is time to draw: for callers to whom it is work to find out the figures. */
bool progress_is_due(const struct progress *progress);

/* So many messages are done, which are the share `done` of `total`, in any unit. `total` 0: it is not known. */
void progress_update(struct progress *progress, uint64_t messages, uint64_t done, uint64_t total);

/* Draw it once more, and leave it on the terminal. */
void progress_end(struct progress *progress);

/* The line for a terminal of this width, in at most PROGRESS_LINE_SIZE bytes. `rate` is in messages a second, `left` in
   seconds; negative: not known. */
#define PROGRESS_COLUMNS_MOST 400
#define PROGRESS_LINE_SIZE (4 * PROGRESS_COLUMNS_MOST + 128)
struct progress_figures {
    const char *verb;
    uint64_t messages;
    double share, rate, left; /* `share` from 0 to 1; negative: not known */
};
void progress_format(const struct progress_figures *figures, size_t columns, bool utf8, char text[PROGRESS_LINE_SIZE]);

#endif
