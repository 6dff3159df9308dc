/*
 * The command line: the common options, and the values of options.
 *
 *     cli_parse(&argp, argc, argv);
 *
 * A wrong command line ends the program with STATUS_USAGE.
 */
#ifndef COMMAND_LINE_H
#define COMMAND_LINE_H

#include <argp.h>
#include <stdbool.h>
#include <stdint.h>

extern bool cli_json; /* -j was given */

/* The common options, and the children of an argp that takes them: alone, or with -j. */
extern const struct argp cli_argp;
extern const struct argp_child cli_children[], cli_json_children[];

/* Cut the arguments at the first `--`. Returns the words after it; NULL: there is no `--`. */
char **cli_cut_command(int *argc, char **argv);

/* Parse the command line. Ends the program on --help, --version and errors. */
void cli_parse(const struct argp *argp, int argc, char **argv);

/* The same for a program in which a word may end the options: options and words are passed on in their order. */
void cli_parse_in_order(const struct argp *argp, int argc, char **argv);

/* The first of the words KEY=VALUE whose key another one has had; NULL: there is none. What is no such word does not count. */
const char *cli_find_twice(char *const *words, int count);

/* End the program: the command line is wrong. */
_Noreturn void cli_usage(const struct argp_state *state, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The value of an option. A period is a duration that is not zero. A delay is a duration whose end, counted from now,
   is a moment that a message can hold. */
int64_t cli_duration(const struct argp_state *state, const char *option, const char *text);
int64_t cli_delay(const struct argp_state *state, const char *option, const char *text);
int64_t cli_period(const struct argp_state *state, const char *option, const char *text);
int cli_milliseconds(const struct argp_state *state, const char *option, const char *text);
uint64_t cli_number(const struct argp_state *state, const char *option, const char *text, uint64_t least,
                    uint64_t most);

/* Add the argument of an option that may be repeated to a list, which has room for all that there are. */
void cli_add(const struct argp_state *state, const char ***list, size_t *count, const char *argument);

/* A rate, N/s, N/m or N/h, where N alone means N/s: the time between one and the next. */
int64_t cli_interval(const struct argp_state *state, const char *option, const char *text);

#endif
