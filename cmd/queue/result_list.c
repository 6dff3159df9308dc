/* The results that a command is about. */
#include "queue/result_list.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/grow.h"
#include "base/id.h"
#include "base/units.h"
#include "cli/cli.h"

/* ---- gathering ---------------------------------------------------------------------- */

struct gathering {
    const struct result_wish *wish;
    struct result_list *list;
    int64_t now;
};

static bool has_id(struct selection *selection, const char *id)
{
    bool has = selection->id_count == 0;
    for (size_t i = 0; i < selection->id_count; i++)
        if (strcmp(selection->ids[i].id, id) == 0)
            has = selection->ids[i].found = true;
    return has;
}

static bool has_failed(enum mq_outcome outcome)
{
    return outcome != MQ_OUTCOME_RUNNING && outcome != MQ_OUTCOME_DONE;
}

static bool is_wanted(const struct gathering *gathering, const struct mq_result_entry *entry)
{
    const struct result_wish *wish = gathering->wish;
    const int64_t age = gathering->now - (entry->ended ? entry->ended : entry->begun);
    if ((wish->failed && !has_failed(entry->outcome)) || (wish->attempt && entry->attempt != wish->attempt) ||
        age < wish->selection->older_than)
        return false;
    return has_id(wish->selection, entry->id);
}

/* A copy of an entry, whose strings lie one behind the other. */
static void add(struct result_list *list, const struct mq_result_entry *entry)
{
    struct result_item item = {.entry = *entry};
    const size_t id = strlen(entry->id) + 1, bucket = strlen(entry->bucket) + 1, file = strlen(entry->file) + 1;
    item.text = cli_must(malloc(id + bucket + file));
    item.entry.id = memcpy(item.text, entry->id, id);
    item.entry.bucket = memcpy(item.text + id, entry->bucket, bucket);
    item.entry.file = memcpy(item.text + id + bucket, entry->file, file);
    if (!GROW(list->items, list->count + 1, list->room))
        cli_must(NULL);
    list->items[list->count++] = item;
}

static int visit(const struct mq_result_entry *entry, void *context)
{
    const struct gathering *gathering = context;
    const struct selection *selection = gathering->wish->selection;
    if (is_wanted(gathering, entry))
        add(gathering->list, entry);
    return !selection->newest && selection->most > 0 && gathering->list->count == selection->most;
}

/* The newest first, and no more than are wanted. */
static void arrange(struct result_list *list, const struct selection *selection)
{
    for (size_t i = 0, j = list->count; selection->newest && i + 1 < j; i++) {
        const struct result_item item = list->items[i];
        list->items[i] = list->items[--j];
        list->items[j] = item;
    }
    while (selection->most > 0 && list->count > selection->most)
        free(list->items[--list->count].text);
}

int result_list_gather(mq_queue *queue, const struct result_wish *wish, struct result_list *ret_list)
{
    struct gathering gathering = {wish, ret_list, clock_now()};
    const int error = mq_results(queue, visit, &gathering);
    if (error < 0)
        return cli_queue_error(error, mq_queue_name(queue), "cannot look at its results");
    arrange(ret_list, wish->selection);
    return STATUS_DONE;
}

void result_list_release(struct result_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        free(list->items[i].text);
    free(list->items);
    *list = (struct result_list){0};
}

/* ---- why there is none -------------------------------------------------------------- */

struct search {
    const char *id;
    enum mq_state state;
    unsigned attempts;
};

static int compare(const struct mq_entry *entry, void *context)
{
    struct search *search = context;
    search->state = entry->state;
    search->attempts = entry->attempts;
    return strcmp(entry->id, search->id) == 0;
}

/* When an id that mq-send made says that its message was sent; 0: it does not say. */
static int64_t moment_of(const char *id)
{
    unsigned long long high, low;
    if (!id_is_in_series(id) || sscanf(id, "%8llx-%4llx", &high, &low) != 2)
        return 0;
    return (int64_t)(high << 16 | low) * 1000;
}

static bool is_older_than_kept(mq_queue *queue, const char *id)
{
    char text[UNITS_TEXT_SIZE];
    int64_t kept;
    const int64_t sent = moment_of(id);
    return sent > 0 && mq_config_get(queue, "keep-results", text, sizeof text) == 0 &&
           units_parse_duration(text, &kept) && clock_now() - sent > kept;
}

static const char *why_of_message(const struct search *search)
{
    if (search->state == MQ_INFLIGHT)
        return "it is in flight, and its consumer keeps no result: mq-recv --save does";
    if (search->state == MQ_DEAD)
        return "it is a dead letter, and no result is kept: mq-dlq show tells what went wrong";
    if (search->attempts > 0)
        return "it waits for its next attempt, and no result is kept of those before";
    return search->state == MQ_DELAYED ? "it is delayed, and was not worked on yet"
                                       : "it is ready, and was not worked on yet";
}

int result_list_explain(mq_queue *queue, const char *id)
{
    struct search search = {.id = id};
    int found = 0;
    for (int state = 0; state < MQ_STATES && found == 0; state++)
        found = mq_browse(queue, (enum mq_state)state, compare, &search);
    if (found < 0)
        return cli_queue_error(found, mq_queue_name(queue), "cannot look");
    const char *why = found == 1 ? why_of_message(&search)
                      : is_older_than_kept(queue, id)
                          ? "no result is kept: it is older than keep-results"
                          : "no result is kept: it ran without mq-recv --save, what it left "
                            "was over keep-results-size, or there is no such message";
    return cli_fail(STATUS_NOTHING, mq_queue_name(queue), "%s: %s", id, why);
}
