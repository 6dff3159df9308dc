/* mq-queue: make, set up, look into, clean and delete queues. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/command.h"
#include "cli/output.h"
#include "message/json_write.h"
#include "message/preview.h"
#include "message/selection.h"
#include "queue/follow.h"
#include "queue/maintenance.h"
#include "queue/peek.h"
#include "queue/purge.h"
#include "queue/settings.h"
#include "queue/sharing.h"

#define PEEK_COUNT 10

static uint64_t arg_count; /* 0: not given */
static bool arg_states[MQ_STATES], arg_has_states;
static char **arg_ids;
static int arg_id_count;
static bool arg_all, arg_dry, arg_force, arg_repair;
static struct sharing sharing = SHARING_NONE;
static struct selection selection;

static const struct argp_option options[] = {
    {"count", 'n', "N", 0, "peek: show up to N messages, 10 by default", 1},
    {"state", COMMAND_LONG('s'), "STATE", 0, "peek, purge: those that are ready, delayed, inflight, dead, or all", 1},
    {"id", 'i', "ID", 0, "peek, purge: this message, to peek at it whole; may be repeated", 1},
    {"older-than", COMMAND_LONG('o'), "DURATION", 0, "purge: those sent, or dead, for so long", 1},
    {"all", COMMAND_LONG('a'), NULL, 0, "purge: all that wait, or all of --state", 1},
    {"dry-run", COMMAND_LONG('d'), NULL, 0, "purge, delete: remove nothing, print the ids of what would go", 1},
    {"mode", COMMAND_LONG('m'), "MODE", 0,
     "create: who may use it, as of chmod: 4 look, 2 send, 6 all; 0600 by default", 1},
    {"group", COMMAND_LONG('g'), "GROUP", 0, "create: the group that the mode speaks of, by name or number", 1},
    {"force", COMMAND_LONG('f'), NULL, 0, "delete: with all its messages", 1},
    {"repair", COMMAND_LONG('r'), NULL, 0, "check: move what does not belong aside", 1},
    {0},
};

/* ---- queues ---------------------------------------------------------------------- */

static int run_create(char **words, int count)
{
    mq_queue *queue;
    int status = settings_check(words[0], words + 1, count - 1);
    if (status == STATUS_DONE && sharing.mode)
        status = sharing_create(&sharing, words[0]);
    if (status == STATUS_DONE)
        status = cli_open(words[0], MQ_CREATE, &queue);
    if (status != STATUS_DONE)
        return status;
    mq_close(queue);
    const int whole = mq_create(cli_spool, words[0]); /* somebody may have cleaned a part of it away */
    if (whole < 0)
        return cli_error(whole, words[0], "cannot create the queue");
    cli_note(words[0], "is there");
    return settings_set(words[0], words + 1, count - 1);
}

static int run_config(char **words, int count)
{
    bool sets = false;
    for (int i = 1; i < count; i++)
        sets |= strchr(words[i], '=') != NULL;
    if (!sets)
        return settings_print(words[0], words + 1, count - 1);
    cli_advice = "mq-queue create makes it";
    if (cli_json)
        return cli_fail(STATUS_USAGE, words[0], "setting prints nothing: --json is for reading");
    const int status = settings_check(words[0], words + 1, count - 1);
    return status == STATUS_DONE ? settings_set(words[0], words + 1, count - 1) : status;
}

static int print_name(const char *queue, void *context)
{
    *(bool *)context = true;
    if (cli_json)
        json_print(json_pack("{s:s}", "queue", queue));
    else
        puts(queue);
    return 0;
}

static int run_list(char **words, int count)
{
    (void)words;
    (void)count;
    bool any = false;
    const int status = cli_check_spool();
    if (status != STATUS_DONE)
        return status;
    const int error = mq_list(cli_spool, print_name, &any);
    if (error)
        return cli_error(error, NULL, "cannot list the queues");
    if (!any && output_is_terminal())
        cli_say_none();
    return STATUS_DONE;
}

static int not_empty(const char *queue)
{
    return cli_fail(STATUS_TRY_LATER, queue, "not empty: use --force");
}

/* Tell what would be removed, and how it would end. */
static int try_delete(const char *name)
{
    mq_queue *queue;
    uint64_t count = 0;
    int status = cli_open(name, 0, &queue);
    if (status != STATUS_DONE)
        return status;
    status = purge_list(queue, &count);
    mq_close(queue);
    return status == STATUS_DONE && count > 0 && !arg_force ? not_empty(name) : status;
}

static int run_delete(char **words, int count)
{
    (void)count;
    const int status_of_name = cli_check_name(words[0]);
    if (status_of_name != STATUS_DONE)
        return status_of_name;
    if (arg_dry)
        return try_delete(words[0]);
    const int error = mq_delete(cli_spool, words[0], arg_force);
    if (error == -ENOTEMPTY)
        return not_empty(words[0]);
    if (error == -ENOENT)
        return cli_no_queue(words[0]);
    return error ? cli_error(error, words[0], "cannot delete") : STATUS_DONE;
}

/* ---- messages -------------------------------------------------------------------- */

static int run_peek(char **words, int count)
{
    struct peek peek = {.count = arg_count ? arg_count : PEEK_COUNT, .selection = &selection};
    mq_queue *queue;
    (void)count;
    int status = cli_open(words[0], 0, &queue);
    if (status != STATUS_DONE)
        return status;
    selection_set_ids(&selection, arg_ids, arg_id_count);
    peek.whole = arg_id_count > 0;
    if (peek.whole)
        peek.count = UINT64_MAX;
    for (int state = 0; state < MQ_STATES; state++)
        peek.states[state] = arg_has_states ? arg_states[state] : peek.whole || state == MQ_READY;
    status = peek_show(queue, &peek);
    mq_close(queue);
    return status;
}

static void report_purge(const char *queue)
{
    cli_note(queue, "%" PRIu64 " %s", selection.taken, arg_dry ? "would be purged" : "purged");
    if (!cli_json)
        return;
    json_t *object = json_pack("{s:s, s:I}", "queue", queue, "purged", (json_int_t)selection.taken);
    if (object && arg_dry)
        json_object_set_new(object, "dry_run", json_true());
    json_print(object);
}

static int run_purge(char **words, int count)
{
    struct purge purge = {.selection = &selection, .dry = arg_dry};
    (void)count;
    int status = cli_open(words[0], 0, &purge.queue);
    if (status != STATUS_DONE)
        return status;
    selection_set_ids(&selection, arg_ids, arg_id_count);
    for (int state = 0; state < MQ_STATES; state++)
        purge.states[state] = arg_has_states ? arg_states[state] : state == MQ_READY || state == MQ_DELAYED;
    status = purge_run(&purge);
    mq_close(purge.queue);
    report_purge(words[0]);
    return status;
}

/* ---- upkeep ---------------------------------------------------------------------- */

static int run_check(char **words, int count)
{
    return maintenance_check(words, count, arg_repair);
}

/* ---- the command line ------------------------------------------------------------ */

static const struct command commands[] = {
    {"create", "mg", 1, -1, run_create},
    {"config", "j", 1, -1, run_config},
    {"list", "j", 0, 0, run_list},
    {"peek", "nsij", 1, 1, run_peek},
    {"purge", "soiadj", 1, 1, run_purge},
    {"delete", "fd", 1, 1, run_delete},
    {"sweep", "j", 0, -1, maintenance_sweep},
    {"check", "rj", 0, -1, run_check},
    {"events", "j", 0, -1, follow_run},
    {0},
};
static struct command_line line = {.options = options, .commands = commands};

static void set_state(const struct argp_state *parser, const char *text)
{
    bool known = false;
    arg_has_states = true;
    for (int state = 0; state < MQ_STATES; state++)
        if (strcmp(text, "all") == 0 || strcmp(text, state_name((enum mq_state)state)) == 0)
            known = arg_states[state] = true;
    if (!known)
        cli_usage(parser, "--state: '%s' is not one of ready, delayed, inflight, dead, all", text);
}

static void add_id(const struct argp_state *state, char *id)
{
    if (!arg_ids)
        arg_ids = cli_must(calloc((size_t)state->argc, sizeof *arg_ids));
    arg_ids[arg_id_count++] = id;
}

/* Nobody shall lose all messages by having forgotten a word. */
static void check_purge(const struct argp_state *state)
{
    const bool some = arg_id_count > 0 || selection.older_than;
    if (!some && !arg_has_states && !arg_all)
        cli_usage(state, "purge: say --id, --state, --older-than or --all");
    if (some && arg_all)
        cli_usage(state, "purge: --all excludes --id and --older-than");
}

static void check(const struct argp_state *state)
{
    if (arg_count && arg_id_count > 0)
        cli_usage(state, "peek: --count and --id exclude one another");
    if (sharing.group != MQ_OWN_GROUP && !sharing.mode)
        cli_usage(state, "create: --group without --mode gives it nothing");
    if (line.command->run == run_purge)
        check_purge(state);
}

static error_t parse(int key, char *argument, struct argp_state *state)
{
    switch (key) {
    case 'n':
        arg_count = cli_number(state, "--count", argument, 1, UINT64_MAX);
        break;
    case COMMAND_LONG('s'):
        set_state(state, argument);
        break;
    case 'i':
        add_id(state, argument);
        break;
    case COMMAND_LONG('o'):
        selection.older_than = cli_period(state, "--older-than", argument);
        break;
    case COMMAND_LONG('m'):
        sharing_set_mode(&sharing, state, argument);
        break;
    case COMMAND_LONG('g'):
        sharing_set_group(&sharing, state, argument);
        break;
    case COMMAND_LONG('a'):
        arg_all = true;
        break;
    case COMMAND_LONG('d'):
        arg_dry = true;
        break;
    case COMMAND_LONG('f'):
        arg_force = true;
        break;
    case COMMAND_LONG('r'):
        arg_repair = true;
        break;
    case ARGP_KEY_SUCCESS:
        check(state);
        return 0;
    default:
        return command_parse(&line, key, state);
    }
    command_note(&line, key);
    return 0;
}

static const struct argp argp = {
    .options = options,
    .parser = parse,
    .args_doc = "create QUEUE [KEY=VALUE...]\nconfig QUEUE [KEY[=VALUE]...]\nlist\npeek QUEUE\npurge QUEUE\n"
                "delete QUEUE\nsweep [QUEUE...]\ncheck [QUEUE...]\nevents [QUEUE...]",
    .doc = "Make, set up, look into, clean and delete queues.",
    .children = cli_json_children,
};

int main(int argc, char **argv)
{
    cli_parse(&argp, argc, argv);
    return output_finish(command_run(&line));
}
