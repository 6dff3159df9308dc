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
static struct selection selection;

static const struct argp_option options[] = {
    {"count", 'n', "N", 0, "list: the first N that died", 1},
    {"match", 'm', "HEADER=VALUE", 0, "retry, purge: those with this header", 1},
    {"to", COMMAND_LONG('t'), "QUEUE", 0, "retry: send them to QUEUE, which must exist", 1},
    {"older-than", SELECTION_OLDER_THAN, "DURATION", 0, "purge: those that died at least this long ago", 1},
    {"all", SELECTION_ALL, NULL, 0, "retry, purge: all of them", 1},
    {"dry-run", SELECTION_DRY_RUN, NULL, 0, "retry, purge: change nothing, print the ids of what would be", 1},
    {0},
};

/* ---- the commands ------------------------------------------------------------------ */

static int run_list(char **words, int count)
{
    return dlq_list(&selection, words, count);
}

static int run_show(char **words, int count)
{
    return dlq_show(&selection, words, count);
}

static int run_retry(char **words, int count)
{
    return dlq_retry(&selection, arg_to, selection.dry_run, words, count);
}

static int run_purge(char **words, int count)
{
    return dlq_purge(&selection, selection.dry_run, words, count);
}

/* ---- the command line ------------------------------------------------------------ */

static const struct command commands[] = {
    {"list", "nj", 1, 1, run_list},
    {"show", "j", 2, -1, run_show},
    {"retry", "mtadj", 1, -1, run_retry},
    {"purge", "moadj", 1, -1, run_purge},
    {0},
};
static struct command_line line = {.options = options, .commands = commands};

/* A forgotten word must not remove all dead letters. */
static void check(const struct argp_state *state)
{
    const bool some = line.count > 1 || selection.header || selection.older_than;
    if (line.command->run == run_purge && !some && !selection.all)
        cli_usage(state, "purge: name ids, or say --match, --older-than or --all");
    if (some && selection.all)
        cli_usage(state, "%s: --all excludes ids, --match and --older-than", line.command->name);
}

static error_t parse(int key, char *argument, struct argp_state *state)
{
    if (key == COMMAND_LONG('t')) {
        arg_to = argument;
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
    .args_doc = "list QUEUE\nshow QUEUE ID...\nretry QUEUE [ID...]\npurge QUEUE [ID...]",
    .doc = "Look at the dead letters of QUEUE, make them ready again, or remove them.",
    .children = cli_json_children,
};

int main(int argc, char **argv)
{
    cli_parse(&argp, argc, argv);
    return output_finish(command_run(&line));
}
