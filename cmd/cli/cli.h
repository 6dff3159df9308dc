/*
 * What the programs share: the common options, talk on stderr, and opening a queue.
 *
 *     cli_parse(&argp, argc, argv);
 *     status = cli_open(name, 0, &queue);
 *     if (error)
 *         return cli_error(error, name, "cannot publish");
 *
 * Errors read `program: subject: what: why`, with what is untrusted escaped. Calls that report one
 * return the exit status that belongs to it.
 */
#ifndef CLI_H
#define CLI_H

#include <argp.h>
#include <mq.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cli/status.h"

extern const char *cli_spool; /* NULL: the default one */
extern bool cli_quiet, cli_verbose, cli_json;

/* Where signals are read from that end a wait for the reader of standard error (signals.h); -1: they strike. */
extern int cli_signals;
extern bool cli_is_ending; /* one was read from there */

/* The common options, and the children of an argp that takes them: alone, or with -j. */
extern const struct argp cli_argp;
extern const struct argp_child cli_children[], cli_json_children[];

/* Parse the command line; ends the program on --help, --version and misuse. */
void cli_parse(const struct argp *argp, int argc, char **argv);

/* The same, where a word may end the options: each word is passed on in its place among them. */
void cli_parse_in_order(const struct argp *argp, int argc, char **argv);

/* End the program: the command line is wrong. */
_Noreturn void cli_usage(const struct argp_state *state, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* An option's value, or the end of the program. A period is a duration that is not zero; a delay is one that ends at a
   moment that a message can tell. */
int64_t cli_duration(const struct argp_state *state, const char *option, const char *text);
int64_t cli_delay(const struct argp_state *state, const char *option, const char *text);
int64_t cli_period(const struct argp_state *state, const char *option, const char *text);
int cli_milliseconds(const struct argp_state *state, const char *option, const char *text);
uint64_t cli_number(const struct argp_state *state, const char *option, const char *text, uint64_t least,
                    uint64_t most);

/* Report an error in our own words; `subject` may be NULL. */
int cli_fail(int status, const char *subject, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* Report what the library or the system refused. */
int cli_error(int error, const char *subject, const char *what);

/* The same where the subject is a queue; knows to say what is wrong with its configuration. */
int cli_queue_error(int error, const char *queue, const char *what);

/* There is none of that name: say where that was looked for, and `cli_advice`, what would help; NULL: nothing would. */
extern const char *cli_advice;
int cli_no_queue(const char *name);

/* Write to standard error what is plain text already. */
void cli_say(const char *text, size_t size);

/* The spool in force, for people, escaped by nobody yet. */
#define CLI_SPOOL_SIZE 4352 /* a path, and a hint */
void cli_describe_spool(char text[CLI_SPOOL_SIZE]);

/* Whether the spool is there and can be entered, or report that it is not. */
int cli_check_spool(void);

/* Say that the spool holds no queue, unless -q is given. */
void cli_say_none(void);

/* Whether the command line or the environment says which spool it is. */
bool cli_spool_is_named(void);

/* A queue could be neither opened nor made. */
int cli_cannot_create(int error, const char *queue);

/* Say what was done, with -v only. */
void cli_note(const char *subject, const char *format, ...) __attribute__((format(printf, 2, 3)));

int cli_status(int error);
const char *cli_reason(int error);
static inline int cli_worse(int status, int other)
{
    return status > other ? status : other;
}

/* Go on when a queue's shared page is cut short under us: before opening one otherwise than with cli_open. */
void cli_survive_cut_pages(void);

/* Whether it is a queue's name, or report that it is not. */
int cli_check_name(const char *name);

/* Open a queue, or report why not. */
int cli_open(const char *name, unsigned flags, mq_queue **ret_queue);

/* The same, or a topic of that name. */
int cli_open_either(const char *name, unsigned flags, mq_queue **ret_queue, mq_topic **ret_topic);

/* For programs that hold nothing: end the program if there was no memory. */
void *cli_must(void *allocated);

#endif
