/*
 * Errors and notes on standard error: `program: subject: what: why`, with untrusted text escaped.
 *
 *     if (error)
 *         return cli_error(error, name, "cannot publish");
 *
 * Calls that report an error return the exit status that belongs to it.
 */
#ifndef REPORT_H
#define REPORT_H

#include <stdbool.h>
#include <stddef.h>

#include "cli/status.h"

extern bool cli_quiet, cli_verbose; /* -q, -v */

/* If signals are read from a descriptor (signals.h), it is here, so that a signal ends the wait for a reader of
   standard error. -1: signals act as usual. */
extern int cli_signals;
extern bool cli_is_ending; /* a signal was read from cli_signals */

/* Called before anything is written to standard error: a bar that is drawn there makes room. NULL: there is none. */
extern void (*cli_before_say)(void);

/* Report an error in the caller's words; `subject` may be NULL. */
int cli_fail(int status, const char *subject, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* Report an error of the library or the system: a negative errno. */
int cli_error(int error, const char *subject, const char *what);

/* The exit status of a negative errno, and the reason in words. */
int cli_status(int error);
const char *cli_reason(int error);

/* The more serious of two exit statuses. */
static inline int cli_worse(int status, int other)
{
    return status > other ? status : other;
}

/* With -v, say what was done. */
void cli_note(const char *subject, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Write text that needs no escaping to standard error. */
void cli_say(const char *text, size_t size);

/* End the program if memory is out: only for programs that hold no claim. */
void *cli_must(void *allocated);

#endif
