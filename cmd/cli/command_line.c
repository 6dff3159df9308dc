/* The command line. */
#include "cli/command_line.h"

#include "base/clock.h"
#include "base/units.h"
#include <errno.h>
#include <fcntl.h>
#include <mq.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/report.h"
#include "cli/spool.h"
#include "text/text.h"

#define MESSAGE_SIZE 1536
#define RATE_MAX 1000000
#define MILLISECONDS_MOST INT64_C(86400000)

bool cli_json;

/* ---- the common options ------------------------------------------------------------ */

static const struct argp_option common_options[] = {
    {"spool", 'S', "DIR", 0, "The directory of the queues, instead of $MQ_SPOOL", -2},
    {"quiet", 'q', NULL, 0, "Print nothing but results and errors", -2},
    {"verbose", 'v', NULL, 0, "Say on standard error what is done", -2},
    {0},
};
static const struct argp_option json_options[] = {
    {"json", 'j', NULL, 0, "Print JSON Lines, one object on each line", -2},
    {0},
};

static error_t parse_common(int key, char *argument, struct argp_state *state)
{
    switch (key) {
    case 'S':
        if (!*argument)
            cli_usage(state, "--spool: empty");
        cli_spool = argument;
        return 0;
    case 'q':
        cli_quiet = true;
        cli_verbose = false;
        return 0;
    case 'v':
        cli_verbose = true;
        return 0;
    case 'j':
        cli_json = true;
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

/* The end of --help. */
static char *filter_help(int key, const char *text, void *input)
{
    char spool[CLI_SPOOL_SIZE], *line;
    (void)input;
    if (key != ARGP_KEY_HELP_EXTRA)
        return (char *)(uintptr_t)text;
    cli_describe_spool(spool);
    return asprintf(&line, "The spool in force is %s.", spool) < 0 ? NULL : line;
}

const struct argp cli_argp = {.options = common_options, .parser = parse_common, .help_filter = filter_help};
static const struct argp json_argp = {.options = json_options, .parser = parse_common};

const struct argp_child cli_children[] = {{&cli_argp, 0, NULL, 0}, {0}};
const struct argp_child cli_json_children[] = {{&cli_argp, 0, NULL, 0}, {&json_argp, 0, NULL, 0}, {0}};

/* ---- parsing --------------------------------------------------------------------- */

static void print_version(FILE *stream, struct argp_state *state)
{
    (void)state;
    fprintf(stream, "%s (mq) %s\n", program_invocation_short_name, mq_version());
}

/*
 * If a standard descriptor is closed, the next file that is opened would get its number, and what the program prints
 * would go into that file of the queue. A descriptor with O_PATH can be neither read nor written.
 */
static void guard_standard_descriptors(void)
{
    struct pollfd standard[3] = {{.fd = 0}, {.fd = 1}, {.fd = 2}};
    if (poll(standard, 3, 0) <= 0)
        return;
    for (int i = 0; i < 3; i++)
        if (standard[i].revents & POLLNVAL && open("/", O_PATH) < 0)
            _exit(STATUS_IO);
}

/* On --help and --version, argp prints and exits without looking whether the output was written. */
static bool is_parsing;

static void check_output(void)
{
    if (is_parsing && (ferror(stdout) || fflush(stdout) != 0))
        _exit(cli_fail(STATUS_IO, NULL, "cannot write the output: %s", strerror(errno)));
}

static void parse(const struct argp *argp, int argc, char **argv, unsigned flags)
{
    guard_standard_descriptors();
    (void)signal(SIGXFSZ, SIG_IGN); /* a write beyond `ulimit -f` fails, as on a full disk, and does not kill */
    argp_err_exit_status = STATUS_USAGE;
    argp_program_version_hook = print_version;
    is_parsing = atexit(check_output) == 0;
    const error_t error = argp_parse(argp, argc, argv, flags, NULL, NULL);
    is_parsing = false;
    if (error)
        exit(cli_error(-error, NULL, "cannot read the command line"));
}

char **cli_cut_command(int *argc, char **argv)
{
    for (int i = 1; i < *argc; i++)
        if (strcmp(argv[i], "--") == 0) {
            *argc = i;
            argv[i] = NULL;
            return argv + i + 1;
        }
    return NULL;
}

void cli_parse(const struct argp *argp, int argc, char **argv)
{
    parse(argp, argc, argv, 0);
}

void cli_parse_in_order(const struct argp *argp, int argc, char **argv)
{
    parse(argp, argc, argv, ARGP_IN_ORDER);
}

void cli_usage(const struct argp_state *state, const char *format, ...)
{
    char text[MESSAGE_SIZE], escaped[TEXT_ESCAPED(MESSAGE_SIZE)];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    text_escape(text, strlen(text), "", escaped);
    argp_error(state, "%s", escaped);
    exit(STATUS_USAGE);
}

/* ---- values ---------------------------------------------------------------------- */

int64_t cli_duration(const struct argp_state *state, const char *option, const char *text)
{
    int64_t duration;
    if (!units_parse_duration(text, &duration))
        cli_usage(state, "%s: '%s' is not a duration such as 500ms, 30s or 2h", option, text);
    return duration;
}

int64_t cli_delay(const struct argp_state *state, const char *option, const char *text)
{
    const int64_t delay = cli_duration(state, option, text);
    if (delay > UNITS_DURATION_MAX - clock_now())
        cli_usage(state, "%s: '%s' lies beyond 2112, the last year that a message can tell", option, text);
    return delay;
}

int64_t cli_period(const struct argp_state *state, const char *option, const char *text)
{
    const int64_t period = cli_duration(state, option, text);
    if (period == 0)
        cli_usage(state, "%s: must be longer than 0", option);
    return period;
}

int cli_milliseconds(const struct argp_state *state, const char *option, const char *text)
{
    const int64_t duration = cli_duration(state, option, text);
    if (duration > MILLISECONDS_MOST * 1000)
        cli_usage(state, "%s: longer than a day", option);
    return (int)(duration / 1000);
}

uint64_t cli_number(const struct argp_state *state, const char *option, const char *text, uint64_t least, uint64_t most)
{
    uint64_t number;
    if (!units_parse_number(text, most, &number) || number < least) {
        if (most == UINT64_MAX)
            cli_usage(state, "%s: '%s' is not a number from %ju", option, text, (uintmax_t)least);
        cli_usage(state, "%s: '%s' is not a number from %ju to %ju", option, text, (uintmax_t)least, (uintmax_t)most);
    }
    return number;
}

void cli_add(const struct argp_state *state, const char ***list, size_t *count, const char *argument)
{
    if (!*list)
        *list = cli_must(calloc((size_t)state->argc, sizeof **list));
    (*list)[(*count)++] = argument;
}

int64_t cli_interval(const struct argp_state *state, const char *option, const char *text)
{
    int64_t unit = CLOCK_SECOND;
    uint64_t number;
    const char *slash = strchr(text, '/');
    const char *per = slash ? slash + 1 : "s";
    const size_t length = slash ? (size_t)(slash - text) : strlen(text);
    char digits[24] = "";
    if (strcmp(per, "m") == 0)
        unit = 60 * CLOCK_SECOND;
    else if (strcmp(per, "h") == 0)
        unit = 3600 * CLOCK_SECOND;
    else if (strcmp(per, "s") != 0)
        unit = 0;
    if (length < sizeof digits)
        memcpy(digits, text, length);
    if (unit == 0 || !units_parse_number(digits, RATE_MAX, &number) || number == 0)
        cli_usage(state, "%s: '%s' is not a rate such as 10/s, 100/m or 1000/h", option, text);
    /* cppcheck-suppress zerodivcond ; cli_usage does not return */
    return unit / (int64_t)number;
}

const char *cli_find_twice(char *const *words, int count)
{
    for (int i = 1; i < count; i++) {
        const char *end = strchr(words[i], '=');
        for (int earlier = 0; earlier < i && end; earlier++)
            if (strncmp(words[earlier], words[i], (size_t)(end + 1 - words[i])) == 0)
                return words[i];
    }
    return NULL;
}
