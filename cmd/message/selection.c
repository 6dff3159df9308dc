/* Which messages a command is about. */
#include "message/selection.h"

#include "base/clock.h"
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "message/preview.h"
#include "text/moment.h"

bool selection_parse_match(struct selection *selection, char *text)
{
    char *separator = strpbrk(text, "=:");
    if (!separator || separator == text)
        return false;
    const bool colon = *separator == ':';
    *separator = '\0';
    selection->header = text;
    selection->value = separator + 1 + (colon ? strspn(separator + 1, " \t") : 0);
    return true;
}

void selection_set_ids(struct selection *selection, char **ids, int count)
{
    selection->ids = ids;
    selection->id_count = count;
    if (count > 0)
        selection->found = cli_must(calloc((size_t)count, sizeof *selection->found));
}

static bool matches_id(struct selection *selection, const char *id)
{
    bool matches = selection->id_count == 0;
    for (int i = 0; i < selection->id_count; i++)
        if (strcmp(selection->ids[i], id) == 0)
            matches = selection->found[i] = true;
    return matches;
}

static bool matches_header(const struct selection *selection, mq_queue *queue, const struct mq_entry *entry)
{
    mq_message *message;
    if (!selection->header)
        return true;
    if (mq_entry_open(queue, entry, &message) != 1)
        return false;
    const char *value = mq_message_header(message, selection->header);
    const bool matches = value && strcmp(value, selection->value) == 0;
    mq_message_free(message);
    return matches;
}

static bool matches_age(const struct selection *selection, mq_queue *queue, const struct mq_entry *entry)
{
    struct preview glance;
    if (!selection->older_than)
        return true;
    const int64_t border = clock_now() - selection->older_than;
    if (entry->state == MQ_DEAD)
        return entry->time <= border;
    return preview_of(queue, entry, &glance) == 1 && glance.sent_at <= border;
}

bool selection_takes(struct selection *selection, mq_queue *queue, const struct mq_entry *entry)
{
    if (!matches_id(selection, entry->id) || !matches_age(selection, queue, entry) ||
        !matches_header(selection, queue, entry))
        return false;
    selection->taken++;
    return true;
}

int selection_report(struct selection *selection, const char *queue)
{
    int status = selection->taken > 0 ? STATUS_DONE : STATUS_NOTHING;
    for (int i = 0; i < selection->id_count; i++)
        if (!selection->found[i])
            status = cli_fail(STATUS_NOTHING, queue, "%s: no such message", selection->ids[i]);
    free(selection->found);
    return status;
}
