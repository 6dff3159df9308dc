/* mq-dlq retry and purge. */
#include "dlq/change.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"
#include "dlq/dead_letters.h"
#include "message/json_write.h"

struct change {
    bool dry_run;
    mq_queue *to;   /* NULL: retried letters stay in their queue, or go back to where they came from */
    mq_queue *back; /* the queue that the last one went back to */
};

/* Print the letter as an object; with --dry-run, print at least its id. */
static void print_changed(const struct dead_letters *letters, const struct mq_entry *entry, const mq_queue *to)
{
    const struct change *change = letters->context;
    if (change->dry_run && !cli_json)
        puts(entry->id);
    if (!cli_json)
        return;
    json_t *object = json_pack("{s:s, s:s, s:s*}", "queue", mq_queue_name(letters->queue), "id", entry->id,
                               "retried_to", to ? mq_queue_name(to) : NULL);
    if (object && change->dry_run)
        json_object_set_new(object, "dry_run", json_true());
    json_print(object);
}

static int each(struct selection *selection, struct change *change,
                int (*act)(struct dead_letters *letters, const struct mq_entry *entry), const char *done,
                const char *name)
{
    struct dead_letters letters = {.selection = selection, .act = act, .context = change};
    int status = dead_letters_open(&letters, name);
    if (status == STATUS_DONE)
        status = dead_letters_each(&letters);
    cli_note(name, "%" PRIu64 " %s%s", selection->taken, change->dry_run ? "would be " : "", done);
    return status;
}

/* ---- retry ------------------------------------------------------------------------- */

/* The queue that a ready message came from when it was dead there. */
static int open_origin(struct change *change, mq_queue *queue, const struct mq_entry *entry)
{
    mq_message *message;
    const int opened = mq_entry_open(queue, entry, &message);
    if (opened != 1)
        return opened;
    const char *from = mq_message_header(message, "Dead-From");
    int error = 0;
    if (from && (!change->back || strcmp(mq_queue_name(change->back), from) != 0)) {
        mq_close(change->back);
        change->back = NULL;
        error = mq_open(cli_spool, from, 0, &change->back);
    }
    mq_message_free(message);
    return error ? error : 1;
}

static int retry_one(struct dead_letters *letters, const struct mq_entry *entry)
{
    struct change *change = letters->context;
    mq_queue *to = change->to ? change->to : letters->queue;
    if (entry->state == MQ_READY && !change->to) {
        const int opened = open_origin(change, letters->queue, entry);
        if (opened != 1)
            return opened == 0 ? SELECTION_GONE
                               : dead_letters_fail(letters, entry, "cannot open the queue that it came from", opened);
        to = change->back;
    }
    const int moved = change->dry_run ? 1 : mq_entry_retry(letters->queue, entry, to);
    if (moved < 0)
        return dead_letters_fail(letters, entry, "cannot retry", moved);
    if (moved == 1)
        print_changed(letters, entry, to);
    return moved == 1 ? STATUS_DONE : SELECTION_GONE;
}

int dlq_retry(struct selection *selection, const char *to, const char *name)
{
    struct change change = {.dry_run = selection->dry_run};
    cli_advice = "mq-queue create makes it";
    int status = to ? cli_open(to, 0, &change.to) : STATUS_DONE;
    cli_advice = NULL;
    if (status != STATUS_DONE)
        return status;
    selection->states[MQ_READY] = selection->sent_on = true;
    status = each(selection, &change, retry_one, "retried", name);
    mq_close(change.to);
    mq_close(change.back);
    return status;
}

/* ---- purge ------------------------------------------------------------------------- */

static int purge_one(struct dead_letters *letters, const struct mq_entry *entry)
{
    const struct change *change = letters->context;
    const int removed = change->dry_run ? 1 : mq_entry_remove(letters->queue, entry);
    if (removed < 0)
        return dead_letters_fail(letters, entry, "cannot remove", removed);
    if (removed == 1)
        print_changed(letters, entry, NULL);
    return removed == 1 ? STATUS_DONE : SELECTION_GONE;
}

int dlq_purge(struct selection *selection, const char *name)
{
    return each(selection, &(struct change){.dry_run = selection->dry_run}, purge_one, "purged", name);
}
