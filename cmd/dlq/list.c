/* mq-dlq list. */
#include "dlq/list.h"

#include "base/clock.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"
#include "dlq/dead_letters.h"
#include "message/failure.h"
#include "message/json_write.h"
#include "message/preview.h"
#include "term/table.h"
#include "text/human.h"

#define REASON_MOST 256 /* bytes that are shown of a reason */

static const struct table_column columns[] = {
    {.title = "ID"},
    {.title = "DIED", .right = true},
    {.title = "ATTEMPTS", .right = true},
    {.title = "REASON", .widest = 12},
    {.title = "LAST OUTCOME", .widest = 20},
    {.title = "SIZE", .right = true},
    {.title = "BODY"},
};
#define COLUMNS (sizeof columns / sizeof *columns)

static void print_object(const char *queue, const struct mq_entry *entry, const struct preview *preview, json_t *last)
{
    json_print(json_pack("{s:s, s:s, s:o, s:f, s:i, s:i, s:s, s:O*, s:I, s:s}", "queue", queue, "id", entry->id,
                         mq_state_time_name(MQ_DEAD), json_moment(entry->time), "age_seconds",
                         (double)(clock_now() - entry->time) / 1e6, "attempts", (int)entry->attempts, "priority",
                         entry->priority, "reason", entry->reason, "last_failure", last, "size",
                         (json_int_t)preview->size, "preview", preview->body));
}

static void add_row(struct table *table, const struct mq_entry *entry, const struct preview *preview, json_t *last)
{
    char died[HUMAN_SIZE], size[HUMAN_SIZE], attempts[16];
    char reason[TEXT_ESCAPED(REASON_MOST)], outcome[TEXT_ESCAPED(256)];
    failure_outcome(last, outcome, sizeof outcome);
    human_age(clock_now() - entry->time, died);
    human_size(preview->size, size);
    snprintf(attempts, sizeof attempts, "%u", entry->attempts);
    text_escape(entry->reason, strnlen(entry->reason, REASON_MOST), "", reason);
    table_row(table, (const char *[COLUMNS]){entry->id, died, attempts, reason, outcome, size, preview->body});
}

static int list_by_template(struct dead_letters *letters, const struct mq_entry *entry)
{
    struct template_message about = {.queue = mq_queue_name(letters->queue), .entry = entry};
    const int opened = mq_entry_open(letters->queue, entry, &about.message);
    if (opened == 0)
        return SELECTION_GONE;
    const bool is_corrupt = opened == -EBADMSG || opened == -EMSGSIZE || opened == -EAGAIN;
    int error = opened < 0 && !is_corrupt ? opened : 0;
    about.group = about.message ? cli_group_of(letters->queue, about.message) : NULL;
    if (!error)
        error = preview_print_by_template(letters->context, &about);
    mq_message_free(about.message);
    return error ? dead_letters_fail(letters, entry, "cannot read", error) : STATUS_DONE;
}

static int list_one(struct dead_letters *letters, const struct mq_entry *entry)
{
    struct table *table = letters->context;
    struct preview preview;
    const int got = preview_of(letters->queue, entry, &preview);
    if (got < 0)
        return dead_letters_fail(letters, entry, "cannot read", got);
    json_t *failures = got == 1 ? dead_letters_failures(letters, entry) : NULL;
    if (!failures)
        return letters->status;
    json_t *last = json_array_get(failures, json_array_size(failures) - 1); /* NULL: there is none */
    if (table)
        add_row(table, entry, &preview, last);
    else
        print_object(mq_queue_name(letters->queue), entry, &preview, last);
    json_decref(failures);
    return STATUS_DONE;
}

int dlq_list(struct selection *selection, struct template *format, const char *name)
{
    struct table *table = NULL;
    struct dead_letters letters = {.selection = selection, .act = format ? list_by_template : list_one};
    const bool means_all = selection->id_count == 0 && selection->header_count == 0 && !selection->older_than;
    int status = dead_letters_open(&letters, name);
    if (status != STATUS_DONE)
        return status;
    if (!cli_json && !format)
        table = table_new(columns, COLUMNS);
    letters.context = format ? (void *)format : table;
    status = dead_letters_each(&letters);
    if (table)
        table_end(table);
    return status == STATUS_NOTHING && means_all ? STATUS_DONE : status;
}
