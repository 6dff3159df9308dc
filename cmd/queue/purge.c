/* Removing messages. */
#include "queue/purge.h"

#include <stdio.h>

#include "cli/cli.h"

static int visit(const struct mq_entry *entry, void *context)
{
    const struct purge *purge = context;
    struct selection *selection = purge->selection;
    if (!selection_takes(selection, purge->queue, entry))
        return 0;
    if (purge->dry) {
        if (!cli_json)
            puts(entry->id);
        return 0;
    }
    const int removed = mq_entry_remove(purge->queue, entry);
    if (removed == 0)
        selection->taken--;
    return removed < 0 ? removed : 0;
}

/* Without a condition files can be removed as they are. */
static int purge_state(const struct purge *purge, enum mq_state state)
{
    struct selection *selection = purge->selection;
    uint64_t purged = 0;
    if (purge->dry || selection->older_than || selection->id_count > 0)
        return mq_browse(purge->queue, state, visit, (void *)(uintptr_t)purge);
    const int error = mq_purge(purge->queue, state, &purged);
    selection->taken += purged;
    return error;
}

int purge_run(const struct purge *purge)
{
    const char *name = mq_queue_name(purge->queue);
    const bool by_id = purge->selection->id_count > 0;
    int error = 0;
    for (int state = 0; state < MQ_STATES && !error; state++)
        if (purge->states[state])
            error = purge_state(purge, (enum mq_state)state);
    const int status = error ? cli_queue_error(error, name, "cannot purge") : STATUS_DONE;
    return by_id ? cli_worse(status, selection_report(purge->selection, name)) : status;
}

int purge_list(mq_queue *queue, uint64_t *ret_count)
{
    struct selection all = {0};
    const struct purge purge = {.queue = queue, .selection = &all, .states = {true, true, true, true}, .dry = true};
    const int status = purge_run(&purge);
    if (status == STATUS_DONE)
        *ret_count = all.taken;
    return status;
}
