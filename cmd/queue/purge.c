/* Removing messages. */
#include "queue/purge.h"

#include <inttypes.h>
#include <stdio.h>

#include "cli/cli.h"
#include "message/json_write.h"

struct purge {
    mq_queue *queue;
    struct selection *selection;
    bool dry_run;
};

static int remove_one(const struct mq_entry *entry, void *context)
{
    const struct purge *purge = context;
    if (purge->dry_run) {
        if (!cli_json)
            puts(entry->id);
        return 0;
    }
    const int removed = mq_entry_remove(purge->queue, entry);
    return removed < 0 ? removed : removed == 0 ? SELECTION_GONE : 0;
}

/* Without conditions the library removes whole files without reading them. */
static int remove_states(const struct purge *purge)
{
    int error = 0;
    for (int state = 0; state < MQ_STATES && !error; state++) {
        uint64_t purged = 0;
        if (purge->selection->states[state])
            error = mq_purge(purge->queue, (enum mq_state)state, &purged);
        purge->selection->taken += purged;
    }
    return error;
}

static int remove_selected(struct purge *purge)
{
    struct selection *selection = purge->selection;
    const char *name = mq_queue_name(purge->queue);
    const int error = purge->dry_run || selection_has_conditions(selection)
                          ? selection_browse(selection, purge->queue, remove_one, purge)
                          : remove_states(purge);
    const int status = error ? cli_queue_error(error, name, "cannot purge") : STATUS_DONE;
    return selection->id_count > 0 || selection->header_count > 0
               ? cli_worse(status, selection_report(selection, purge->queue))
               : status;
}

static void report(const char *queue, uint64_t purged, bool dry_run)
{
    cli_note(queue, "%" PRIu64 " %s", purged, dry_run ? "would be purged" : "purged");
    if (!cli_json)
        return;
    json_t *object = json_pack("{s:s, s:I}", "queue", queue, "purged", (json_int_t)purged);
    if (object && dry_run)
        json_object_set_new(object, "dry_run", json_true());
    json_print(object);
}

int purge_messages(const char *name, struct selection *selection, bool dry_run)
{
    struct purge purge = {.selection = selection, .dry_run = dry_run};
    if (!selection_has_states(selection))
        selection->states[MQ_READY] = selection->states[MQ_DELAYED] = true;
    int status = cli_open(name, 0, &purge.queue);
    if (status != STATUS_DONE)
        return status;
    status = remove_selected(&purge);
    mq_close(purge.queue);
    report(name, selection->taken, dry_run);
    return status;
}

int purge_list(mq_queue *queue, uint64_t *ret_count)
{
    struct selection all = {.states = {true, true, true, true}};
    const int status = remove_selected(&(struct purge){.queue = queue, .selection = &all, .dry_run = true});
    if (status == STATUS_DONE)
        *ret_count = all.taken;
    return status;
}
