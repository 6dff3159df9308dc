/* mq-queue: make, set up, look into, clean and delete queues. */
#include "cli/cli.h"
#include "cli/command.h"
#include "cli/output.h"
#include "message/selection_options.h"
#include "queue/create.h"
#include "queue/delete.h"
#include "queue/follow.h"
#include "queue/list_queues.h"
#include "queue/maintenance.h"
#include "queue/peek.h"
#include "queue/purge.h"
#include "queue/settings.h"
#include "queue/sharing.h"
#include "queue/wait_for.h"

static bool arg_force, arg_repair;
static int64_t arg_timeout = MQ_FOREVER;
static struct sharing sharing = SHARING_NONE;
static struct selection selection;

static const struct argp_option options[] = {
    {"count", 'n', "N", 0, "peek: show up to N messages, 10 by default", 1},
    {"state", SELECTION_STATE, "STATE", 0, "peek, purge: those that are ready, delayed, inflight, dead, or all", 1},
    {"id", 'i', "ID", 0, "peek, purge: this message, to peek at it whole; may be repeated", 1},
    {"older-than", SELECTION_OLDER_THAN, "DURATION", 0, "purge: those that were sent, or died, at least this long ago",
     1},
    {"all", SELECTION_ALL, NULL, 0, "purge: all that wait, or all of --state", 1},
    {"dry-run", SELECTION_DRY_RUN, NULL, 0, "purge, delete: remove nothing, print the ids of what would go", 1},
    {"mode", COMMAND_LONG('m'), "MODE", 0,
     "create: who may use it, as for chmod: 4 look, 2 send, 6 all; 0600 by default", 1},
    {"group", COMMAND_LONG('g'), "GROUP", 0, "create: the group that the mode is for, by name or number", 1},
    {"force", COMMAND_LONG('f'), NULL, 0, "delete: with all its messages", 1},
    {"repair", COMMAND_LONG('r'), NULL, 0, "check: move what does not belong aside", 1},
    {"timeout", 't', "DURATION", 0, "wait: give up after this time", 1},
    {0},
};

/* ---- the commands ------------------------------------------------------------------ */

static int run_create(char **words, int count)
{
    return create_queue(&sharing, words, count);
}

static int run_peek(char **words, int count)
{
    (void)count;
    return peek_show(words[0], &selection);
}

static int run_purge(char **words, int count)
{
    (void)count;
    return purge_messages(words[0], &selection, selection.dry_run);
}

static int run_delete(char **words, int count)
{
    (void)count;
    return delete_queue(words[0], selection.dry_run, arg_force);
}

static int run_wait(char **words, int count)
{
    return wait_for_messages(words[0], words + 1, count - 1, arg_timeout);
}

static int run_check(char **words, int count)
{
    return maintenance_check(words, count, arg_repair);
}

/* ---- the command line ------------------------------------------------------------ */

static const struct command commands[] = {
    {"create", "mg", 1, -1, run_create},      {"config", "j", 1, -1, settings_run},
    {"list", "j", 0, 0, list_queues},         {"peek", "nsij", 1, 1, run_peek},
    {"purge", "soiadj", 1, 1, run_purge},     {"delete", "fd", 1, 1, run_delete},
    {"sweep", "j", 0, -1, maintenance_sweep}, {"check", "rj", 0, -1, run_check},
    {"events", "j", 0, -1, follow_run},       {"wait", "t", 2, -1, run_wait},
    {0},
};
static struct command_line line = {.options = options, .commands = commands};

/* A forgotten word must not remove all messages. */
static void check_purge(const struct argp_state *state)
{
    const bool some = selection.id_count > 0 || selection.older_than;
    if (!some && !selection_has_states(&selection) && !selection.all)
        cli_usage(state, "purge: say --id, --state, --older-than or --all");
    if (some && selection.all)
        cli_usage(state, "purge: --all excludes --id and --older-than");
}

static void check(const struct argp_state *state)
{
    if (selection.most && selection.id_count > 0)
        cli_usage(state, "peek: --count and --id exclude one another");
    if (sharing.group != MQ_OWN_GROUP && !sharing.mode)
        cli_usage(state, "create: --group without --mode gives it nothing");
    if (line.command->run == run_purge)
        check_purge(state);
}

static error_t parse(int key, char *argument, struct argp_state *state)
{
    switch (key) {
    case COMMAND_LONG('m'):
        sharing_set_mode(&sharing, state, argument);
        break;
    case COMMAND_LONG('g'):
        sharing_set_group(&sharing, state, argument);
        break;
    case COMMAND_LONG('f'):
        arg_force = true;
        break;
    case COMMAND_LONG('r'):
        arg_repair = true;
        break;
    case 't':
        arg_timeout = cli_duration(state, "--timeout", argument);
        break;
    case ARGP_KEY_SUCCESS:
        check(state);
        return 0;
    default:
        if (selection_parse_option(&selection, key, argument, state) == ARGP_ERR_UNKNOWN)
            return command_parse(&line, key, state);
        break;
    }
    command_note(&line, key);
    return 0;
}

static const struct argp argp = {
    .options = options,
    .parser = parse,
    .args_doc = "create QUEUE [KEY=VALUE...]\nconfig QUEUE [KEY[=VALUE]...]\nlist\npeek QUEUE\npurge QUEUE\n"
                "delete QUEUE\nsweep [QUEUE...]\ncheck [QUEUE...]\nevents [QUEUE...]\nwait QUEUE ID...",
    .doc = "Make, set up, look into, clean and delete queues.",
    .children = cli_json_children,
};

int main(int argc, char **argv)
{
    cli_parse(&argp, argc, argv);
    return output_finish(command_run(&line));
}
