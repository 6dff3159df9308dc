/* mq-queue export. */
#include "queue/export.h"

#include <inttypes.h>
#include <stdio.h>

#include "cli/cli.h"
#include "message/json_write.h"

struct export
{
    mq_queue *queue;
    struct json_text text;
    uint64_t count;
    int status;
};

static int fail(struct export *export, const struct mq_entry *entry, int error)
{
    export->status = cli_fail(cli_status(error), mq_queue_name(export->queue), "%s: cannot export it: %s: %s/%s/%s",
                              entry->id, cli_reason(error), mq_state_name(entry->state), entry->bucket, entry->file);
    return 0;
}

static int print_one(const struct mq_entry *entry, mq_message *message, void *context)
{
    struct export *export = context;
    struct json_text *const text = &export->text;
    const struct json_shown shown = {.queue = mq_queue_name(export->queue)};
    int error = message ? json_from_message(message, &shown, text) : -EBADMSG;
    if (!error) {
        json_text_string(text, "state", mq_state_name(entry->state));
        if (entry->state == MQ_DELAYED || entry->state == MQ_DEAD)
            json_text_moment(text, mq_state_time_name(entry->state), entry->time);
        if (entry->reason)
            json_text_string(text, "reason", entry->reason);
        error = json_text_end(text);
    }
    if (error)
        return fail(export, entry, error);
    export->count++;
    return fwrite(text->data, text->size, 1, stdout) == 1 ? 0 : 1;
}

int export_queue(const char *name, const struct selection *selection)
{
    struct export export = {.status = STATUS_DONE};
    const bool all = !selection_has_states(selection);
    int error = 0;
    const int status = cli_open(name, 0, &export.queue);
    if (status != STATUS_DONE)
        return status;
    json_print(json_pack("{s:i, s:s}", EXPORT_BEGIN, EXPORT_VERSION, "queue", name));
    for (int state = 0; state < MQ_STATES && !error; state++)
        if (all || selection->states[state])
            error = mq_browse_messages(export.queue, (enum mq_state)state, print_one, &export);
    if (error < 0)
        export.status = cli_queue_error(error, name, "cannot export all of it");
    else
        json_print(json_pack("{s:I}", EXPORT_END, (json_int_t) export.count));
    json_text_release(&export.text);
    mq_close(export.queue);
    cli_note(name, "%" PRIu64 " exported", export.count);
    return export.status;
}
