/* Which messages of a queue a command is about. */
#include "message/selection.h"

#include "base/clock.h"
#include "base/grow.h"
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "message/preview.h"

bool selection_parse_state(struct selection *selection, const char *text)
{
    bool known = false;
    for (int state = 0; state < MQ_STATES; state++)
        if (strcmp(text, "all") == 0 || strcmp(text, mq_state_name((enum mq_state)state)) == 0)
            known = selection->states[state] = true;
    return known;
}

bool selection_has_states(const struct selection *selection)
{
    bool any = false;
    for (int state = 0; state < MQ_STATES; state++)
        any |= selection->states[state];
    return any;
}

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

void selection_add_id(struct selection *selection, const char *id)
{
    if (!GROW(selection->ids, selection->id_count + 1, selection->ids_room))
        cli_must(NULL);
    selection->ids[selection->id_count++] = (struct selected_id){.id = id};
}

static bool matches_id(struct selection *selection, const char *id)
{
    bool matches = selection->id_count == 0;
    for (size_t i = 0; i < selection->id_count; i++)
        if (strcmp(selection->ids[i].id, id) == 0)
            matches = selection->ids[i].found = true;
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
    struct preview preview;
    if (!selection->older_than)
        return true;
    const int64_t limit = clock_now() - selection->older_than;
    if (entry->state == MQ_DEAD)
        return entry->time <= limit;
    return preview_of(queue, entry, &preview) == 1 && preview.sent_at <= limit;
}

static bool takes(struct selection *selection, mq_queue *queue, const struct mq_entry *entry)
{
    if (!matches_id(selection, entry->id) || !matches_age(selection, queue, entry) ||
        !matches_header(selection, queue, entry))
        return false;
    selection->taken++;
    return true;
}

struct browse {
    struct selection *selection;
    mq_queue *queue;
    int (*act)(const struct mq_entry *entry, void *context);
    void *context;
};

static bool is_complete(const struct selection *selection)
{
    return selection->most > 0 && selection->taken == selection->most;
}

static int visit(const struct mq_entry *entry, void *context)
{
    const struct browse *browse = context;
    if (is_complete(browse->selection))
        return 1;
    return takes(browse->selection, browse->queue, entry) ? browse->act(entry, browse->context) : 0;
}

int selection_browse(struct selection *selection, mq_queue *queue,
                     int (*act)(const struct mq_entry *entry, void *context), void *context)
{
    struct browse browse = {selection, queue, act, context};
    int stopped = 0;
    for (int state = 0; state < MQ_STATES && stopped == 0; state++)
        if (selection->states[state])
            stopped = mq_browse(queue, (enum mq_state)state, visit, &browse);
    return stopped < 0 ? stopped : 0;
}

int selection_report(struct selection *selection, const char *queue)
{
    int status = selection->taken > 0 ? STATUS_DONE : STATUS_NOTHING;
    for (size_t i = 0; i < selection->id_count; i++)
        if (!selection->ids[i].found)
            status = cli_fail(STATUS_NOTHING, queue, "%s: no such message", selection->ids[i].id);
    free(selection->ids);
    return status;
}
