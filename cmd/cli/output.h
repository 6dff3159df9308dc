/*
 * Standard output, with every failure told. A program either writes to it directly or prints with
 * stdio and ends with output_finish.
 */
#ifndef OUTPUT_H
#define OUTPUT_H

#include <stdbool.h>
#include <stddef.h>

/* What a writer heeds while nobody reads. */
struct output_patience {
    int cancel_fd;    /* gives up when readable */
    int milliseconds; /* how often `wait` is called meanwhile; -1: never */
    void (*wait)(void *context);
    void *context;
};

/* Write all of `data`. 0, a negative errno, or -ECANCELED; in any case how much of it in `ret_written`. */
int output_write(const void *data, size_t size, const struct output_patience *patience, size_t *ret_written);

/*
 * Let stdio write to standard output like that, so that a signal that is read from cancel_fd ends a print or flush
 * whose reader does not read: it fails with ECANCELED. Lines of up to PIPE_BUF bytes are never torn by it. 0 or a
 * negative errno.
 */
int output_heed(int cancel_fd);

/* Write all of it, with all the patience there is. */
int output_print(const void *data, size_t size);

/* Flush what stdio holds: `status`, or after a report STATUS_IO where not all that was printed could be written. */
int output_finish(int status);

bool output_is_terminal(void);

/* The columns of the terminal, or 0 where the output is none. */
size_t output_columns(void);

/* Whether TERM says that the terminal obeys no control sequences. */
bool output_is_dumb(void);

/* Whether it is a terminal that shows colours, and NO_COLOR (no-color.org) does not forbid them. */
bool output_has_colour(void);

/* Whether the locale that the environment names has UTF-8. */
bool output_has_utf8(void);

#endif
