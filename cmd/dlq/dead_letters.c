/* The dead letters that a command of mq-dlq is about. */
#include "dlq/dead_letters.h"

#include "cli/cli.h"
#include "message/failure.h"

static int visit(const struct mq_entry *entry, void *context)
{
    struct dead_letters *letters = context;
    const int status = letters->act(letters, entry);
    if (status == SELECTION_GONE)
        return status;
    letters->status = status;
    return status;
}

int dead_letters_open(struct dead_letters *letters, const char *name)
{
    letters->selection->states[MQ_DEAD] = true;
    return cli_open(name, 0, &letters->queue);
}

int dead_letters_each(struct dead_letters *letters)
{
    const char *name = mq_queue_name(letters->queue);
    const int error = selection_browse(letters->selection, letters->queue, visit, letters);
    if (error)
        letters->status = cli_queue_error(error, name, "cannot list the dead letters");
    letters->status = cli_worse(letters->status, selection_report(letters->selection, letters->queue));
    mq_close(letters->queue);
    return letters->status;
}

int dead_letters_fail(const struct dead_letters *letters, const struct mq_entry *entry, const char *what, int error)
{
    return cli_fail(cli_status(error), mq_queue_name(letters->queue), "%s: %s: %s", entry->id, what, cli_reason(error));
}

json_t *dead_letters_failures(struct dead_letters *letters, const struct mq_entry *entry)
{
    json_t *failures;
    const int error = failure_load(letters->queue, entry->id, &failures);
    if (!error)
        return failures;
    letters->status = dead_letters_fail(letters, entry, "cannot read what went wrong", error);
    return NULL;
}
