/*
 * Standard output, with every failure reported. A program either writes to it directly, or prints with stdio and ends
 * with output_finish.
 */
#ifndef OUTPUT_H
#define OUTPUT_H

#include <stdbool.h>
#include <stddef.h>

/* How a write waits while the reader does not read. */
struct output_patience {
    int cancel_fd;    /* the wait ends when this becomes readable */
    int milliseconds; /* how often `wait` is called during the wait; -1: never */
    void (*wait)(void *context);
    void *context;
};

/* Write all of `data`: 0, a negative errno, or -ECANCELED. `ret_written` gets how many bytes were written, also after
   an error. */
int output_write(const void *data, size_t size, const struct output_patience *patience, size_t *ret_written);

/*
 * Let stdio write to standard output in this way: if `cancel_fd` becomes readable while the reader does not read, a
 * print or flush fails with ECANCELED. A line of up to PIPE_BUF bytes is written whole or not at all. 0 or a negative
 * errno.
 */
int output_cancel_by(int cancel_fd);

/* Write all of it, however long the reader takes. 0 or a negative errno. */
int output_print(const void *data, size_t size);

/* Flush stdio. Returns `status`, or STATUS_IO, which was reported, if not everything could be written. */
int output_finish(int status);

bool output_is_terminal(void);

/* The columns of the terminal; 0: the output is no terminal. */
size_t output_columns(void);

/* Whether TERM says that the terminal knows no control sequences. */
bool output_is_dumb(void);

/* Whether the output is a terminal with colours, and NO_COLOR (no-color.org) is not set. */
bool output_has_colour(void);

/* Whether the locale of the environment uses UTF-8. */
bool output_has_utf8(void);

#endif
