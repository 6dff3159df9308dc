/* mq-log: messages that are kept, and read again. */
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/command.h"
#include "cli/output.h"
#include "log/log_change.h"
#include "log/log_list.h"
#include "log/log_read.h"
#include "log/log_seek.h"

static struct log_reading arg_reading;
static bool arg_force, arg_dry_run;

#define FROM COMMAND_LONG('b')
#define TO COMMAND_LONG('e')
#define FORCE COMMAND_LONG('F')
#define ANY COMMAND_LONG('a')
#define DRY_RUN COMMAND_LONG('d')

static const struct argp_option options[] = {
    {"from", FROM, "WHERE", 0,
     "read: begin at WHERE: beginning (the default), end, an offset, -N messages before the end, a TIME (RFC 3339 or "
     "@SECONDS), or an age such as 2h",
     1},
    {"to", TO, "WHERE", 0, "read: end before WHERE, instead of the end as it is now", 1},
    {"count", 'n', "N", 0, "read: end after N messages", 1},
    {"follow", 'f', NULL, 0, "read: wait for more messages", 1},
    {"routing-key", 'k', "PATTERN", 0,
     "read: messages whose routing key PATTERN matches, where * is a word and # any number; may be repeated", 1},
    {"match", 'm', "'NAME[: VALUE]'", 0, "read: messages with this header; repeated, with all of them", 1},
    {"any", ANY, NULL, 0, "read: with any of the headers", 1},
    {"lines", 'l', NULL, 0, "read: end each body with a newline", 2},
    {"null", '0', NULL, 0, "read: end each body with a NUL", 2},
    {"dry-run", DRY_RUN, NULL, 0, "seek: move nothing, and say how many messages that is", 3},
    {"force", FORCE, NULL, 0, "delete: with its messages", 3},
    {0},
};

static int run_read(char **words, int count)
{
    (void)count;
    if (arg_reading.framing && cli_json)
        return cli_fail(STATUS_USAGE, NULL, "--json excludes --lines and --null");
    if (arg_reading.follow && arg_reading.has_to)
        return cli_fail(STATUS_USAGE, NULL, "--follow excludes --to");
    if (arg_reading.any && arg_reading.header_count == 0)
        return cli_fail(STATUS_USAGE, NULL, "--any is for --match");
    return log_read(words[0], &arg_reading);
}

static int run_delete(char **words, int count)
{
    (void)count;
    return log_delete(words[0], arg_force);
}

static int run_seek(char **words, int count)
{
    (void)count;
    return log_seek(words[0], words[1], arg_dry_run);
}

/* clang-format off */
static const struct command commands[] = {
    {"create", "", 1, -1, log_create},
    {"read", "benfkmal0j", 1, 1, run_read},
    {"seek", "d", 2, 2, run_seek},
    {"list", "j", 0, -1, log_list},
    {"config", "j", 1, -1, log_config},
    {"trim", "", 1, -1, log_trim_each},
    {"delete", "F", 1, 1, run_delete},
    {0},
};
/* clang-format on */
static struct command_line line = {.options = options, .commands = commands};

static error_t parse(int key, char *argument, struct argp_state *state)
{
    switch (key) {
    case FROM:
        where_take(state, "--from", argument, &arg_reading.from);
        break;
    case TO:
        where_take(state, "--to", argument, &arg_reading.to);
        arg_reading.has_to = true;
        break;
    case 'n':
        arg_reading.most = cli_number(state, "--count", argument, 1, UINT64_MAX);
        break;
    case 'f':
        arg_reading.follow = true;
        break;
    case 'k':
        cli_add(state, &arg_reading.patterns, &arg_reading.pattern_count, argument);
        break;
    case 'm':
        cli_add(state, &arg_reading.headers, &arg_reading.header_count, argument);
        break;
    case ANY:
        arg_reading.any = true;
        break;
    case 'l':
    case '0':
        if (arg_reading.framing && arg_reading.framing != key)
            cli_usage(state, "--lines and --null exclude one another");
        arg_reading.framing = key;
        break;
    case DRY_RUN:
        arg_dry_run = true;
        break;
    case FORCE:
        arg_force = true;
        break;
    default:
        return command_parse(&line, key, state);
    }
    command_note(&line, key);
    return 0;
}

static const struct argp argp = {
    .options = options,
    .parser = parse,
    .args_doc = "create LOG [KEY=VALUE...]\nread LOG\nseek LOG/GROUP WHERE\nlist [LOG...]\nconfig LOG "
                "[KEY[=VALUE]...]\ntrim LOG...\n"
                "delete LOG",
    .doc = "Keep messages in one order, and read them again from anywhere. mq-send appends to a log.",
    .children = cli_json_children,
};

static bool is_back(const char *word)
{
    return word[0] == '-' && word[1] && strspn(word + 1, "0123456789") == strlen(word + 1);
}

/* `seek LOG/GROUP -100`: the number is a place, and no option. It goes behind a `--` at the end. */
static char **move_places(int *argc, char **argv)
{
    char **words = cli_must(calloc((size_t)*argc + 2, sizeof *words));
    int count = 0, backs = 0;
    for (int i = 0; i < *argc; i++)
        if (!is_back(argv[i]))
            words[count++] = argv[i];
    words[count++] = (char *)"--";
    for (int i = 0; i < *argc; i++)
        if (is_back(argv[i])) {
            words[count++] = argv[i];
            backs++;
        }
    if (backs == 0) {
        free(words);
        return argv;
    }
    *argc = count;
    return words;
}

int main(int argc, char **argv)
{
    for (int i = 1; i < argc; i++)
        if (strcmp(argv[i], "seek") == 0) {
            argv = move_places(&argc, argv);
            break;
        }
    cli_parse(&argp, argc, argv);
    return output_finish(command_run(&line));
}
