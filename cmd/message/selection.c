/* Which messages of a queue a command is about. */
#include "message/selection.h"

#include "base/clock.h"
#include "base/grow.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "message/kept_entries.h"
#include "message/preview.h"

/* ---- what is said ------------------------------------------------------------------- */

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

bool selection_has_conditions(const struct selection *selection)
{
    return selection->id_count > 0 || selection->header_count > 0 || selection->older_than || selection->most > 0;
}

bool selection_add_match(struct selection *selection, char *text)
{
    const size_t length = strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-");
    const char separator = text[length];
    char *value = text + length + 1;
    if (length == 0 || (separator && separator != ':' && separator != '='))
        return false;
    if (!GROW(selection->headers, selection->header_count + 1, selection->headers_room))
        cli_must(NULL);
    text[length] = '\0';
    if (separator == ':')
        value += strspn(value, " \t");
    selection->headers[selection->header_count++] = (struct selected_header){text, separator ? value : NULL};
    return true;
}

void selection_add_id(struct selection *selection, const char *id)
{
    if (!GROW(selection->ids, selection->id_count + 1, selection->ids_room))
        cli_must(NULL);
    selection->ids[selection->id_count++] = (struct selected_id){.id = id};
}

/* ---- whether it takes a message ------------------------------------------------------ */

static int compare_ids(const void *one, const void *other)
{
    return strcmp((*(struct selected_id *const *)one)->id, (*(struct selected_id *const *)other)->id);
}

static void sort_ids(struct selection *selection)
{
    if (selection->sorted || selection->id_count == 0)
        return;
    selection->sorted = cli_must(malloc(selection->id_count * sizeof(struct selected_id *)));
    for (size_t i = 0; i < selection->id_count; i++)
        selection->sorted[i] = &selection->ids[i];
    qsort(selection->sorted, selection->id_count, sizeof *selection->sorted, compare_ids);
}

/* An id may have been given twice. 1: it was given; `found` notes whether a message has it. */
static bool note_id(struct selection *selection, const char *id, bool found)
{
    struct selected_id wanted = {.id = id}, *const key = &wanted;
    struct selected_id **const end = selection->sorted + selection->id_count;
    struct selected_id **at = bsearch(&key, selection->sorted, selection->id_count, sizeof *at, compare_ids);
    if (!at)
        return false;
    while (at > selection->sorted && strcmp(at[-1]->id, id) == 0)
        at--;
    for (; at < end && strcmp((*at)->id, id) == 0; at++)
        (*at)->found = found;
    return true;
}

static bool has_headers(const struct selection *selection, const mq_message *message)
{
    for (size_t i = 0; i < selection->header_count; i++) {
        const struct selected_header *wanted = &selection->headers[i];
        const char *value = mq_message_header(message, wanted->name);
        if (!value || (wanted->value && strcmp(value, wanted->value) != 0))
            return false;
    }
    return true;
}

/* Whether a condition has to know what no name tells. */
static bool asks_for_content(const struct selection *selection, enum mq_state state)
{
    return selection->header_count > 0 || (selection->older_than && state != MQ_DEAD) ||
           (selection->sent_on && state == MQ_READY);
}

/* A corrupt message has neither headers nor an origin, and is as old as its file. */
static bool corrupt_matches(const struct selection *selection, mq_queue *queue, const struct mq_entry *entry)
{
    struct preview preview;
    const bool is_asked_for_more = selection->header_count > 0 || (selection->sent_on && entry->state == MQ_READY);
    return !is_asked_for_more && preview_of(queue, entry, &preview) == 1 &&
           preview.sent_at <= clock_now() - selection->older_than;
}

static bool content_matches(const struct selection *selection, mq_queue *queue, const struct mq_entry *entry,
                            const mq_message *message)
{
    if (!message)
        return corrupt_matches(selection, queue, entry);
    if (selection->older_than && entry->state != MQ_DEAD &&
        mq_message_sent_at(message) > clock_now() - selection->older_than)
        return false;
    /* A message that came here as the dead letter of another queue says so. */
    if (selection->sent_on && entry->state == MQ_READY && !mq_message_header(message, "Dead-From"))
        return false;
    return has_headers(selection, message);
}

static bool name_matches(struct selection *selection, const struct mq_entry *entry)
{
    if (selection->id_count > 0 && !note_id(selection, entry->id, true))
        return false;
    return !(selection->older_than && entry->state == MQ_DEAD && entry->time > clock_now() - selection->older_than);
}

/* ---- the walk ------------------------------------------------------------------------- */

struct browse {
    struct selection *selection;
    mq_queue *queue;
    int (*act)(const struct mq_entry *entry, void *context);
    void *context;
    struct kept_entries *kept; /* NULL: act as the walk goes */
};

static bool is_complete(const struct selection *selection)
{
    return selection->most > 0 && selection->taken == selection->most;
}

static int act_on(const struct mq_entry *entry, void *context)
{
    const struct browse *browse = context;
    struct selection *selection = browse->selection;
    if (is_complete(selection))
        return 1;
    const int done = browse->act(entry, browse->context);
    if (done == SELECTION_GONE && selection->id_count > 0)
        note_id(selection, entry->id, false);
    selection->taken += done != SELECTION_GONE && done != SELECTION_PASSED;
    return done == SELECTION_GONE || done == SELECTION_PASSED ? 0 : done;
}

static int act_or_keep(struct browse *browse, const struct mq_entry *entry)
{
    return browse->kept ? kept_entries_add(browse->kept, entry) : act_on(entry, browse);
}

static int visit_name(const struct mq_entry *entry, void *context)
{
    struct browse *browse = context;
    if (is_complete(browse->selection))
        return 1;
    return name_matches(browse->selection, entry) ? act_or_keep(browse, entry) : 0;
}

static int visit_message(const struct mq_entry *entry, mq_message *message, void *context)
{
    struct browse *browse = context;
    if (is_complete(browse->selection))
        return 1;
    return name_matches(browse->selection, entry) && content_matches(browse->selection, browse->queue, entry, message)
               ? act_or_keep(browse, entry)
               : 0;
}

static int browse_state(struct browse *browse, enum mq_state state)
{
    return asks_for_content(browse->selection, state) ? mq_browse_messages(browse->queue, state, visit_message, browse)
                                                      : mq_browse(browse->queue, state, visit_name, browse);
}

int selection_browse(struct selection *selection, mq_queue *queue,
                     int (*act)(const struct mq_entry *entry, void *context), void *context)
{
    struct kept_entries kept = {.most = selection->most};
    struct browse browse = {selection, queue, act, context, selection->newest ? &kept : NULL};
    int stopped = 0;
    sort_ids(selection);
    for (int state = 0; state < MQ_STATES && stopped == 0; state++)
        if (selection->states[state])
            stopped = browse_state(&browse, (enum mq_state)state);
    if (stopped == 0 && selection->newest)
        stopped = kept_entries_each(&kept, act_on, &browse);
    kept_entries_release(&kept);
    return stopped < 0 ? stopped : 0;
}

/* ---- the end -------------------------------------------------------------------------- */

struct stray {
    const char *id;
    enum mq_state state;
};

static int compare(const struct mq_entry *entry, void *context)
{
    struct stray *stray = context;
    stray->state = entry->state;
    return strcmp(entry->id, stray->id) == 0;
}

/* The message is in none of the states that the command is about. */
static int report_missing(const struct selection *selection, mq_queue *queue, const char *id)
{
    static const char *const where[MQ_STATES] = {
        [MQ_READY] = "it is ready",
        [MQ_DELAYED] = "it is delayed",
        [MQ_INFLIGHT] = "it is in flight: mq-queue release ends its claim",
        [MQ_DEAD] = "it is a dead letter: mq-dlq is for these",
    };
    struct stray stray = {.id = id};
    int found = 0;
    for (int state = 0; state < MQ_STATES && selection->in_any_state && found == 0; state++)
        if (!selection->states[state])
            found = mq_browse(queue, (enum mq_state)state, compare, &stray);
    if (found != 1)
        return cli_fail(STATUS_NOTHING, mq_queue_name(queue), "%s: no such message", id);
    return cli_fail(stray.state == MQ_INFLIGHT ? STATUS_TRY_LATER : STATUS_NOTHING, mq_queue_name(queue), "%s: %s", id,
                    where[stray.state]);
}

int selection_report(struct selection *selection, mq_queue *queue)
{
    int status = selection->taken > 0 ? STATUS_DONE : STATUS_NOTHING;
    for (size_t i = 0; i < selection->id_count && !is_complete(selection); i++)
        if (!selection->ids[i].found)
            status = cli_worse(status, report_missing(selection, queue, selection->ids[i].id));
    free(selection->ids);
    free(selection->sorted);
    free(selection->headers);
    return status;
}
