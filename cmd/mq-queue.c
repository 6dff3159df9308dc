/* mq-queue: make, set up, look into, clean and delete queues. */
#include <string.h>

#include "cli/cli.h"
#include "cli/command.h"
#include "cli/output.h"
#include "queue/create.h"
#include "queue/delete.h"
#include "queue/doctor.h"
#include "queue/export.h"
#include "queue/follow.h"
#include "queue/list_queues.h"
#include "queue/maintenance.h"
#include "queue/messages.h"
#include "queue/pause.h"
#include "queue/settings.h"
#include "queue/sharing.h"
#include "queue/wait_for.h"

static bool arg_force, arg_repair, arg_once, arg_has_from;
static struct where arg_from;
static unsigned arg_paused; /* MQ_PAUSE_… */
static int64_t arg_timeout = MQ_FOREVER;
static struct sharing sharing = SHARING_NONE;

static const struct argp_option options[] = {
    {"count", 'n', "N", 0, "at most N messages; peek: 10 by default", 1},
    {"newest", SELECTION_NEWEST, NULL, 0, "begin with the newest messages", 1},
    {"state", SELECTION_STATE, "STATE", 0, "those that are ready, delayed, inflight, dead, or all", 1},
    {"id", 'i', "ID", 0, "this message, as if it were named after QUEUE; may be repeated", 1},
    {"match", 'm', "NAME[: VALUE]", 0, "those with this header; may be repeated: with all of them", 1},
    {"older-than", SELECTION_OLDER_THAN, "DURATION", 0, "those that were sent, or died, at least this long ago", 1},
    {"all", SELECTION_ALL, NULL, 0, "all that wait, or all of --state", 1},
    {"dry-run", SELECTION_DRY_RUN, NULL, 0, "change nothing, but print the ids of the messages that would be changed",
     1},
    {"format", COMMAND_LONG('p'), "TEMPLATE", 0,
     "peek: print a line by a template, such as '{id} {header.Type} {body}'", 1},
    {"send", COMMAND_LONG('S'), NULL, 0, "pause, resume: only for senders", 1},
    {"receive", COMMAND_LONG('R'), NULL, 0, "pause, resume: only for receivers", 1},
    {"once", COMMAND_LONG('O'), NULL, 0, "import: nothing that was imported or sent once within the dedup-window", 1},
    {"mode", COMMAND_LONG('M'), "MODE", 0,
     "create: who may use it, as for chmod: 4 look, 2 send, 6 all; 0600 by default", 1},
    {"group", COMMAND_LONG('g'), "GROUP", 0, "create: the group that the mode is for, by name or number", 1},
    {"from", COMMAND_LONG('B'), "WHERE", 0, "create: where in its log a group begins; at the beginning by default", 1},
    {"force", COMMAND_LONG('X'), NULL, 0, "delete: with all its messages", 1},
    {"failed", COMMAND_LONG('F'), NULL, 0, "history: only commands that did not succeed", 1},
    {"attempt", COMMAND_LONG('A'), "N", 0, "output: of attempt N, not of the last one that is kept", 1},
    {"follow", 'f', NULL, 0, "output: go on until the command has ended", 1},
    {"repair", COMMAND_LONG('r'), NULL, 0, "check: move what does not belong aside", 1},
    {"timeout", 't', "DURATION", 0, "wait: give up after this time", 1},
    {0},
};

/* ---- the commands ------------------------------------------------------------------ */

static int run_create(char **words, int count)
{
    return create_queue(&sharing, arg_has_from ? &arg_from : NULL, words, count);
}

static int run_pause(char **words, int count)
{
    (void)count;
    return pause_queue(words[0], arg_paused);
}

static int run_resume(char **words, int count)
{
    (void)count;
    return pause_resume(words[0], arg_paused);
}

static int run_export(char **words, int count)
{
    (void)count;
    return export_queue(words[0], &messages_selection);
}

static int run_import(char **words, int count)
{
    (void)count;
    return import_queue(words[0], arg_once);
}

static int run_delete(char **words, int count)
{
    (void)count;
    return delete_queue(words[0], messages_selection.dry_run, arg_force);
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

/* Where an `i` is taken, ids may follow the queue. */
static const struct command commands[] = {
    {"create", "MgB", 1, -1, run_create},
    {"config", "j", 1, -1, settings_run},
    {"list", "j", 0, 0, list_queues},
    {"peek", SELECTION_ANY "pj", 1, -1, messages_peek},
    {"history", "niowFj", 1, -1, messages_history},
    {"output", "fA", 2, 2, messages_output},
    {"remove", SELECTION_ANY "adj", 1, -1, messages_remove},
    {"set", SELECTION_ANY "adj", 2, -1, messages_set},
    {"move", SELECTION_ANY "adj", 2, -1, messages_move},
    {"copy", SELECTION_ANY "adj", 2, -1, messages_copy},
    {"release", SELECTION_BY_ID_AND_AGE "adj", 1, -1, messages_release},
    {"purge", SELECTION_ANY "adj", 1, -1, messages_purge},
    {"export", "s", 1, 1, run_export},
    {"import", "O", 1, 1, run_import},
    {"pause", "SR", 1, 1, run_pause},
    {"resume", "SR", 1, 1, run_resume},
    {"delete", "Xd", 1, 1, run_delete},
    {"sweep", "j", 0, -1, maintenance_sweep},
    {"check", "rj", 0, -1, run_check},
    {"events", "j", 0, -1, follow_run},
    {"doctor", "j", 0, 0, doctor_run},
    {"wait", "t", 2, -1, run_wait},
    {0},
};
static struct command_line line = {.options = options, .commands = commands};

static void check(const struct argp_state *state)
{
    if (sharing.group != MQ_OWN_GROUP && !sharing.mode)
        cli_usage(state, "create: --group without --mode gives it nothing");
    if (strchr(line.command->takes, 'i'))
        messages_take_words(&line, state);
}

static error_t parse(int key, char *argument, struct argp_state *state)
{
    switch (key) {
    case COMMAND_LONG('M'):
        sharing_set_mode(&sharing, state, argument);
        break;
    case COMMAND_LONG('g'):
        sharing_set_group(&sharing, state, argument);
        break;
    case COMMAND_LONG('B'):
        where_take(state, "--from", argument, &arg_from);
        arg_has_from = true;
        break;
    case COMMAND_LONG('S'):
        arg_paused |= MQ_PAUSE_SEND;
        break;
    case COMMAND_LONG('R'):
        arg_paused |= MQ_PAUSE_RECEIVE;
        break;
    case COMMAND_LONG('O'):
        arg_once = true;
        break;
    case COMMAND_LONG('X'):
        arg_force = true;
        break;
    case COMMAND_LONG('F'):
        messages_failed = true;
        break;
    case COMMAND_LONG('A'):
        messages_attempt = (unsigned)cli_number(state, "--attempt", argument, 1, UINT32_MAX);
        break;
    case COMMAND_LONG('p'):
        messages_format = template_of_option(state, argument);
        break;
    case 'f':
        messages_follow = true;
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
        if (selection_parse_option(&messages_selection, key, argument, state) == ARGP_ERR_UNKNOWN)
            return command_parse(&line, key, state);
        break;
    }
    command_note(&line, key);
    return 0;
}

static const struct argp argp = {
    .options = options,
    .parser = parse,
    .args_doc = "create QUEUE [KEY=VALUE...]\nconfig QUEUE [KEY[=VALUE]...]\nlist\npeek QUEUE [ID...]\n"
                "history QUEUE [ID...]\noutput QUEUE ID\nremove QUEUE [ID...]\nset QUEUE [ID...] KEY=VALUE...\nmove "
                "FROM TO [ID...]\ncopy FROM TO "
                "[ID...]\nrelease QUEUE [ID...]\n"
                "purge QUEUE [ID...]\nexport QUEUE\nimport QUEUE\npause QUEUE\nresume QUEUE\ndelete QUEUE\nsweep "
                "[QUEUE...]\ncheck "
                "[QUEUE...]\nevents [QUEUE...]\ndoctor\nwait QUEUE ID...",
    .doc = "Make, set up, look into, clean, pause and delete queues.",
    .children = cli_json_children,
};

int main(int argc, char **argv)
{
    cli_parse(&argp, argc, argv);
    return output_finish(command_run(&line));
}
