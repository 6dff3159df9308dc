/* Commands that do one thing with each of the selected messages. */
#include "queue/change.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"
#include "message/json_write.h"

struct change {
    mq_queue *queue;
    struct selection *selection;
    /* 1 done, 0 the message is not there any more, or a negative errno. */
    int (*act)(struct change *change, const struct mq_entry *entry);
    const char *verb, *done; /* "cannot VERB", "3 DONE" */
    const struct mq_changes *changes;
    mq_queue *to;                   /* of move and copy */
    char released[MQ_RECEIPT_SIZE]; /* the claim that was ended last */
    int status;
};

static void print(const struct change *change, const struct mq_entry *entry)
{
    const bool dry_run = change->selection->dry_run;
    if (dry_run && !cli_json)
        puts(entry->id);
    if (!cli_json)
        return;
    json_t *object = json_pack("{s:s, s:s, s:s}", "queue", mq_queue_name(change->queue), "id", entry->id, "state",
                               mq_state_name(entry->state));
    if (object && change->to)
        json_object_set_new(object, "to", cli_must(json_string(mq_queue_name(change->to))));
    if (object && dry_run)
        json_object_set_new(object, "dry_run", json_true());
    json_print(object);
}

/* What is wrong with one message does not keep the command from the others. */
static bool is_of_message(int error)
{
    return error == -EOPNOTSUPP || error == -EBADMSG || error == -EAGAIN || error == -EEXIST || error == -EINVAL;
}

static const char *reason_of(const struct change *change, int error)
{
    if (error != -EOPNOTSUPP)
        return cli_reason(error);
    return change->changes && change->changes->priority >= 0 ? "an ordered queue has no priorities"
                                                             : "it waits in its group, whose order is kept";
}

static int visit(const struct mq_entry *entry, void *context)
{
    struct change *change = context;
    const int done = change->selection->dry_run ? 1 : change->act(change, entry);
    if (done == 0)
        return SELECTION_GONE;
    if (done == 1) {
        print(change, entry);
        return 0;
    }
    change->status = cli_worse(change->status, cli_fail(done == -EOPNOTSUPP ? STATUS_USAGE : cli_status(done),
                                                        mq_queue_name(change->queue), "%s: cannot %s: %s", entry->id,
                                                        change->verb, reason_of(change, done)));
    return is_of_message(done) ? SELECTION_PASSED : 1;
}

static int run(struct change *change, const char *name)
{
    struct selection *selection = change->selection;
    int status = cli_open(name, 0, &change->queue);
    if (status != STATUS_DONE)
        return status;
    const int error = selection_browse(selection, change->queue, visit, change);
    if (error)
        change->status = cli_worse(change->status, cli_queue_error(error, name, "cannot look"));
    status = selection_report(selection, change->queue);
    if (change->status == STATUS_DONE || status != STATUS_NOTHING)
        change->status = cli_worse(change->status, status);
    mq_close(change->queue);
    cli_note(name, "%" PRIu64 " %s%s", selection->taken, selection->dry_run ? "would be " : "", change->done);
    return change->status;
}

/* Without --state a command is about what waits. */
static void choose_states(struct selection *selection)
{
    selection->in_any_state = !selection_has_states(selection);
    if (selection->in_any_state)
        selection->states[MQ_READY] = selection->states[MQ_DELAYED] = true;
}

/* ---- remove --------------------------------------------------------------------------- */

static int remove_one(struct change *change, const struct mq_entry *entry)
{
    return mq_entry_remove(change->queue, entry);
}

int change_remove(const char *name, struct selection *selection)
{
    choose_states(selection);
    return run(&(struct change){.selection = selection, .act = remove_one, .verb = "remove", .done = "removed"}, name);
}

/* ---- set ------------------------------------------------------------------------------ */

static int64_t parse_ttl(const char *value, const struct argp_state *state)
{
    const int64_t ttl = strcmp(value, "none") == 0 ? 0 : cli_delay(state, "set: ttl", value);
    if (ttl == 0 && strcmp(value, "none") != 0)
        cli_usage(state, "set: ttl: must be longer than 0, or none");
    return ttl;
}

static bool is_key(const char *word, const char *key)
{
    const size_t length = strlen(key);
    return strncmp(word, key, length) == 0 && word[length] == '=';
}

void change_parse(struct mq_changes *changes, const char *word, const struct argp_state *state)
{
    const char *value = strchr(word, '=') + 1;
    if (is_key(word, "priority"))
        changes->priority = (int)cli_number(state, "set: priority", value, 0, 9);
    else if (is_key(word, "delay"))
        changes->delay = cli_delay(state, "set: delay", value);
    else if (is_key(word, "ttl"))
        changes->ttl = parse_ttl(value, state);
    else
        cli_usage(state, "set: '%s' is none of priority=, delay= and ttl=", word);
}

static int set_one(struct change *change, const struct mq_entry *entry)
{
    return mq_entry_set(change->queue, entry, change->changes);
}

int change_set(const char *name, struct selection *selection, const struct mq_changes *changes)
{
    choose_states(selection);
    return run(
        &(struct change){
            .selection = selection, .act = set_one, .verb = "set it", .done = "changed", .changes = changes},
        name);
}

/* ---- release -------------------------------------------------------------------------- */

/* Messages that were claimed together have one claim. */
static int release_one(struct change *change, const struct mq_entry *entry)
{
    char receipt[MQ_RECEIPT_SIZE];
    int done = mq_entry_receipt(change->queue, entry, receipt);
    if (!done)
        done = strcmp(receipt, change->released) == 0 ? 1 : mq_entry_release(change->queue, entry);
    if (done == 1)
        memcpy(change->released, receipt, sizeof receipt);
    return done;
}

int change_release(const char *name, struct selection *selection)
{
    selection->in_any_state = selection->states[MQ_INFLIGHT] = true;
    return run(&(struct change){.selection = selection, .act = release_one, .verb = "release", .done = "released"},
               name);
}

/* ---- move, copy ------------------------------------------------------------------------ */

static int move_one(struct change *change, const struct mq_entry *entry)
{
    return mq_entry_move(change->queue, entry, change->to);
}

static int copy_one(struct change *change, const struct mq_entry *entry)
{
    return mq_entry_copy(change->queue, entry, change->to);
}

static int transfer(struct change *change, const char *name, const char *to)
{
    if (strcmp(name, to) == 0)
        return cli_fail(STATUS_USAGE, name, "the messages are in this queue already");
    choose_states(change->selection);
    cli_advice = "mq-queue create makes it";
    int status = cli_open(to, 0, &change->to);
    cli_advice = NULL;
    if (status != STATUS_DONE)
        return status;
    status = run(change, name);
    const int error = change->selection->taken > 0 && !change->selection->dry_run ? mq_persist(change->to) : 0;
    mq_close(change->to);
    return error ? cli_worse(status,
                             cli_fail(STATUS_UNSAFE, to, "%s, but not synced: %s", change->done, cli_reason(error)))
                 : status;
}

int change_move(const char *name, const char *to, struct selection *selection)
{
    struct change change = {.selection = selection, .act = move_one, .verb = "move it", .done = "moved"};
    if (selection->states[MQ_INFLIGHT])
        return cli_fail(STATUS_USAGE, name, "what is in flight cannot be moved: mq-queue release ends its claim");
    return transfer(&change, name, to);
}

int change_copy(const char *name, const char *to, struct selection *selection)
{
    struct change change = {.selection = selection, .act = copy_one, .verb = "copy it", .done = "copied"};
    return transfer(&change, name, to);
}
