/* mq-dlq: look at dead letters, give them another try, or remove them. */
#include "base/clock.h"
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/command.h"
#include "cli/output.h"
#include "message/failure.h"
#include "message/json_write.h"
#include "message/preview.h"
#include "message/selection.h"
#include "term/table.h"
#include "text/human.h"
#include "text/moment.h"

static uint64_t arg_count; /* 0: all */
static const char *arg_to;
static bool arg_all, arg_dry;
static struct selection selection;

static const struct argp_option options[] = {
    {"count", 'n', "N", 0, "list: the first N that died", 1},
    {"match", 'm', "HEADER=VALUE", 0, "retry, purge: those with this header", 1},
    {"to", COMMAND_LONG('t'), "QUEUE", 0, "retry: send them to QUEUE, which must be there", 1},
    {"older-than", COMMAND_LONG('o'), "DURATION", 0, "purge: those that died so long ago", 1},
    {"all", COMMAND_LONG('a'), NULL, 0, "retry, purge: all of them", 1},
    {"dry-run", COMMAND_LONG('d'), NULL, 0, "retry, purge: change nothing, print the ids of what would be", 1},
    {0},
};

static const struct table_column columns[] = {
    {.title = "ID"},
    {.title = "DIED", .right = true},
    {.title = "ATTEMPTS", .right = true},
    {.title = "REASON", .widest = 12},
    {.title = "LAST OUTCOME", .widest = 20},
    {.title = "SIZE", .right = true},
    {.title = "BODY"},
};
#define COLUMNS (sizeof columns / sizeof *columns)

/* ---- walking --------------------------------------------------------------------- */

struct walk {
    mq_queue *queue;
    mq_queue *to; /* retry: NULL where they stay in their queue */
    bool tabular;
    struct table *table;
    int (*act)(struct walk *walk, const struct mq_entry *entry);
    int status;
};

/* What `act` returns is an exit status, and what is not 0 ends the walk. */
static int visit(const struct mq_entry *entry, void *context)
{
    struct walk *walk = context;
    if (arg_count && selection.taken == arg_count)
        return 1;
    if (selection_takes(&selection, walk->queue, entry))
        walk->status = walk->act(walk, entry);
    return walk->status;
}

static int browse(struct walk *walk)
{
    const char *name = mq_queue_name(walk->queue);
    const int stopped = mq_browse(walk->queue, MQ_DEAD, visit, walk);
    if (stopped < 0)
        walk->status = cli_queue_error(stopped, name, "cannot list the dead letters");
    const int missing = selection_report(&selection, name);
    return cli_worse(walk->status, missing);
}

/* The first word is the queue, the others are ids. */
static int walk_queue(char **words, int count, struct walk *walk)
{
    const int status = cli_open(words[0], 0, &walk->queue);
    if (status != STATUS_DONE)
        return status;
    selection_set_ids(&selection, words + 1, count - 1);
    if (walk->tabular)
        walk->table = table_new(columns, COLUMNS);
    walk->status = browse(walk);
    if (walk->tabular)
        table_end(walk->table);
    mq_close(walk->queue);
    return walk->status;
}

static int failed(const struct walk *walk, const struct mq_entry *entry, const char *what, int error)
{
    return cli_fail(cli_status(error), mq_queue_name(walk->queue), "%s: %s: %s", entry->id, what, cli_reason(error));
}

/* What was kept of an entry's failures; NULL, with a report, where it cannot be read. */
static json_t *failures_of(struct walk *walk, const struct mq_entry *entry)
{
    json_t *failures;
    const int error = failure_load(walk->queue, entry->id, &failures);
    if (!error)
        return failures;
    walk->status = failed(walk, entry, "cannot read what went wrong", error);
    return NULL;
}

/* ---- list ------------------------------------------------------------------------ */

static void list_json(const struct walk *walk, const struct mq_entry *entry, const struct preview *glance, json_t *last)
{
    char died[MOMENT_SIZE];
    moment_format(entry->time, died);
    json_print(json_pack("{s:s, s:s, s:s, s:f, s:i, s:i, s:s, s:O*, s:I, s:s}", "queue", mq_queue_name(walk->queue),
                         "id", entry->id, "died", died, "age_seconds", (double)(clock_now() - entry->time) / 1e6,
                         "attempts", (int)entry->attempts, "priority", entry->priority, "reason", entry->reason,
                         "last_failure", last, "size", (json_int_t)glance->size, "preview", glance->preview));
}

static void list_row(const struct walk *walk, const struct mq_entry *entry, const struct preview *glance, json_t *last)
{
    char died[HUMANE_SIZE], size[HUMANE_SIZE], attempts[16], reason[TEXT_ESCAPED(256)], outcome[TEXT_ESCAPED(256)];
    failure_outcome(last, outcome, sizeof outcome);
    human_age(clock_now() - entry->time, died);
    human_size(glance->size, size);
    snprintf(attempts, sizeof attempts, "%u", entry->attempts);
    text_escape(entry->reason, strnlen(entry->reason, 256), "", reason);
    table_row(walk->table, (const char *[COLUMNS]){entry->id, died, attempts, reason, outcome, size, glance->preview});
}

static int list_one(struct walk *walk, const struct mq_entry *entry)
{
    struct preview glance;
    const int got = preview_of(walk->queue, entry, &glance);
    if (got < 0)
        return failed(walk, entry, "cannot read", got);
    json_t *failures = got == 1 ? failures_of(walk, entry) : NULL;
    if (!failures)
        return walk->status;
    json_t *last = json_array_get(failures, json_array_size(failures) - 1); /* NULL: there is none */
    if (walk->table)
        list_row(walk, entry, &glance, last);
    else
        list_json(walk, entry, &glance, last);
    json_decref(failures);
    return STATUS_DONE;
}

static int run_list(char **words, int count)
{
    const int status = walk_queue(words, count, &(struct walk){.act = list_one, .tabular = !cli_json});
    /* An empty list is an answer. */
    return status == STATUS_NOTHING ? STATUS_DONE : status;
}

/* ---- show ------------------------------------------------------------------------ */

static int show_json(const struct walk *walk, const struct mq_entry *entry, mq_message *message, json_t *failures)
{
    json_t *object;
    char died[MOMENT_SIZE];
    const int error = json_from_message(message, mq_queue_name(walk->queue), NULL, &object);
    if (error)
        return error;
    moment_format(entry->time, died);
    if (json_object_set_new(object, "reason", json_string(entry->reason)) ||
        json_object_set_new(object, "died", json_string(died)) || json_object_set(object, "failures", failures)) {
        json_decref(object);
        return -ENOMEM;
    }
    json_print(object);
    return 0;
}

static int show_text(mq_message *message, const json_t *failures)
{
    failure_print(failures);
    return preview_print_whole(message);
}

static int show_one(struct walk *walk, const struct mq_entry *entry)
{
    mq_message *message;
    const int opened = mq_entry_open(walk->queue, entry, &message);
    if (opened == -EBADMSG)
        return cli_fail(STATUS_DATA, mq_queue_name(walk->queue), "%s: corrupt: the file is dead/%s/%s", entry->id,
                        entry->bucket, entry->file);
    if (opened != 1)
        return opened < 0 ? failed(walk, entry, "cannot open", opened) : STATUS_DONE;
    json_t *failures = failures_of(walk, entry);
    int error = 0;
    if (failures)
        error = cli_json ? show_json(walk, entry, message, failures) : show_text(message, failures);
    json_decref(failures);
    mq_message_free(message);
    return error ? failed(walk, entry, "cannot read", error) : walk->status;
}

static int run_show(char **words, int count)
{
    return walk_queue(words, count, &(struct walk){.act = show_one});
}

/* ---- retry and purge ------------------------------------------------------------- */

/* Print which one it is: as an object, or with --dry-run also as text. */
static void tell(const struct walk *walk, const struct mq_entry *entry, const mq_queue *to)
{
    if (arg_dry && !cli_json)
        puts(entry->id);
    if (!cli_json)
        return;
    json_t *object = json_pack("{s:s, s:s, s:s*}", "queue", mq_queue_name(walk->queue), "id", entry->id, "retried_to",
                               to ? mq_queue_name(to) : NULL);
    if (object && arg_dry)
        json_object_set_new(object, "dry_run", json_true());
    json_print(object);
}

static void note_count(const char *queue, const char *what)
{
    cli_note(queue, "%" PRIu64 " %s%s", selection.taken, arg_dry ? "would be " : "", what);
}

static int retry_one(struct walk *walk, const struct mq_entry *entry)
{
    mq_queue *to = walk->to ? walk->to : walk->queue;
    const int moved = arg_dry ? 1 : mq_entry_retry(walk->queue, entry, to);
    if (moved < 0)
        return failed(walk, entry, "cannot retry", moved);
    if (moved == 1)
        tell(walk, entry, to);
    return STATUS_DONE;
}

static int run_retry(char **words, int count)
{
    struct walk walk = {.act = retry_one};
    cli_advice = "mq-queue create makes it";
    int status = arg_to ? cli_open(arg_to, 0, &walk.to) : STATUS_DONE;
    cli_advice = NULL;
    if (status != STATUS_DONE)
        return status;
    status = walk_queue(words, count, &walk);
    note_count(words[0], "retried");
    mq_close(walk.to);
    return status;
}

static int purge_one(struct walk *walk, const struct mq_entry *entry)
{
    const int removed = arg_dry ? 1 : mq_entry_remove(walk->queue, entry);
    if (removed < 0)
        return failed(walk, entry, "cannot remove", removed);
    if (removed == 1)
        tell(walk, entry, NULL);
    return STATUS_DONE;
}

static int run_purge(char **words, int count)
{
    const int status = walk_queue(words, count, &(struct walk){.act = purge_one});
    note_count(words[0], "purged");
    return status;
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

/* Nobody shall lose all dead letters by having forgotten a word. */
static void check(const struct argp_state *state)
{
    const bool some = line.count > 1 || selection.header || selection.older_than;
    if (line.command->run == run_purge && !some && !arg_all)
        cli_usage(state, "purge: name ids, or say --match, --older-than or --all");
    if (some && arg_all)
        cli_usage(state, "%s: --all excludes ids, --match and --older-than", line.command->name);
}

static error_t parse(int key, char *argument, struct argp_state *state)
{
    switch (key) {
    case 'n':
        arg_count = cli_number(state, "--count", argument, 1, UINT64_MAX);
        break;
    case 'm':
        if (!selection_parse_match(&selection, argument))
            cli_usage(state, "--match: '%s' is not Header=value", argument);
        break;
    case COMMAND_LONG('t'):
        arg_to = argument;
        break;
    case COMMAND_LONG('o'):
        selection.older_than = cli_period(state, "--older-than", argument);
        break;
    case COMMAND_LONG('a'):
        arg_all = true;
        break;
    case COMMAND_LONG('d'):
        arg_dry = true;
        break;
    default: {
        const error_t parsed = command_parse(&line, key, state);
        if (key == ARGP_KEY_END)
            check(state);
        return parsed;
    }
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
