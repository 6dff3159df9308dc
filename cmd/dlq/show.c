/* mq-dlq show. */
#include "dlq/show.h"

#include <errno.h>

#include "cli/cli.h"
#include "dlq/dead_letters.h"
#include "message/failure.h"
#include "message/json_write.h"
#include "message/preview.h"

static int print_object(const char *queue, const struct mq_entry *entry, mq_message *message, json_t *failures)
{
    struct json_text text = {0};
    const int error = json_from_message(message, &(struct json_shown){.queue = queue}, &text);
    json_text_string(&text, "reason", entry->reason);
    json_text_moment(&text, mq_state_time_name(MQ_DEAD), entry->time);
    json_text_value(&text, "failures", failures);
    return json_text_print(&text, error);
}

static int print_text(mq_message *message, const json_t *failures)
{
    failure_print(failures);
    return preview_print_whole(message);
}

static int show_one(struct dead_letters *letters, const struct mq_entry *entry)
{
    mq_message *message;
    const char *queue = mq_queue_name(letters->queue);
    const int opened = mq_entry_open(letters->queue, entry, &message);
    if (opened == -EBADMSG)
        return cli_fail(STATUS_DATA, queue, "%s: corrupt: the file is dead/%s/%s", entry->id, entry->bucket,
                        entry->file);
    if (opened != 1)
        return opened < 0 ? dead_letters_fail(letters, entry, "cannot open", opened) : SELECTION_GONE;
    json_t *failures = dead_letters_failures(letters, entry);
    int error = 0;
    if (failures)
        error = cli_json ? print_object(queue, entry, message, failures) : print_text(message, failures);
    json_decref(failures);
    mq_message_free(message);
    return error ? dead_letters_fail(letters, entry, "cannot read", error) : letters->status;
}

int dlq_show(struct selection *selection, const char *name)
{
    struct dead_letters letters = {.selection = selection, .act = show_one};
    const int status = dead_letters_open(&letters, name);
    return status == STATUS_DONE ? dead_letters_each(&letters) : status;
}
