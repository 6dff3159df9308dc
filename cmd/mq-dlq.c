/* mq-dlq: look at dead letters, give them another try, or remove them. */
#include <mq.h>

#include "cli/cli.h"
#include "cli/command.h"
#include "cli/output.h"
#include "dlq/change.h"
#include "dlq/list.h"
#include "dlq/show.h"
#include "message/selection_options.h"

static const char *arg_to;
static struct template *arg_format;
static struct selection selection;

static const struct argp_option options[] = {
    {"count", 'n', "N", 0, "at most N, those that died first", 1},
    {"newest", SELECTION_NEWEST, NULL, 0, "begin with those that died last", 1},
    {"match", 'm', "NAME[: VALUE]", 0, "those with this header; may be repeated: with all of them", 1},
    {"format", COMMAND_LONG('p'), "TEMPLATE", 0, "list: print a line by a template, such as '{id} {reason} {body}'", 1},
    {"to", COMMAND_LONG('t'), "QUEUE", 0, "retry: send them to QUEUE, which must exist", 1},
    {"older-than", SELECTION_OLDER_THAN, "DURATION", 0, "those that died at least this long ago", 1},
    {"all", SELECTION_ALL, NULL, 0, "all of them", 1},
    {"dry-run", SELECTION_DRY_RUN, NULL, 0, "retry, purge: change nothing, but print which ids would be", 1},
    {0},
};

/* ---- the commands ------------------------------------------------------------------ */

static int run_list(char **words, int count)
{
    (void)count;
    return dlq_list(&selection, arg_format, words[0]);
}

static int run_show(char **words, int count)
{
    (void)count;
    return dlq_show(&selection, words[0]);
}

static int run_retry(char **words, int count)
{
    (void)count;
    return dlq_retry(&selection, arg_to, words[0]);
}

static int run_purge(char **words, int count)
{
    (void)count;
    return dlq_purge(&selection, words[0]);
}

/* ---- the command line ------------------------------------------------------------ */

static const struct command commands[] = {
    {"list", "nmowpj", 1, -1, run_list},
    {"show", "nmowaj", 1, -1, run_show},
    {"retry", "nmowtadj", 1, -1, run_retry},
    {"purge", "nmowadj", 1, -1, run_purge},
    {0},
};
static struct command_line line = {.options = options, .commands = commands};

static void check(const struct argp_state *state)
{
    const bool means_all = line.command->run == run_list || line.command->run == run_retry;
    if (arg_format && cli_json)
        cli_usage(state, "--json excludes --format");
    for (int i = 1; i < line.count; i++)
        selection_add_id(&selection, line.words[i]);
    if (!means_all || selection.all)
        selection_check(&selection, line.command->name, state);
}

static error_t parse(int key, char *argument, struct argp_state *state)
{
    if (key == COMMAND_LONG('t')) {
        arg_to = argument;
    } else if (key == COMMAND_LONG('p')) {
        arg_format = template_of_option(state, argument);
    } else if (selection_parse_option(&selection, key, argument, state) == ARGP_ERR_UNKNOWN) {
        const error_t parsed = command_parse(&line, key, state);
        if (key == ARGP_KEY_END)
            check(state);
        return parsed;
    }
    command_note(&line, key);
    return 0;
}

static const struct argp argp = {
    .options = options,
    .parser = parse,
    .args_doc = "list QUEUE [ID...]\nshow QUEUE [ID...]\nretry QUEUE [ID...]\npurge QUEUE [ID...]",
    .doc = "Look at the dead letters of QUEUE, make them ready again, or remove them.",
    .children = cli_json_children,
};

int main(int argc, char **argv)
{
    cli_parse(&argp, argc, argv);
    return output_finish(command_run(&line));
}
