/* mq-queue import. */
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/grow.h"
#include "cli/cli.h"
#include "io/records.h"
#include "message/json_read.h"
#include "queue/export.h"
#include "text/moment.h"

struct import {
    mq_queue *queue;
    struct mq_send_options options;
    struct records records;
    mq_message **messages;
    struct json_record *held;
    uint64_t *lines; /* that the messages came in */
    bool *duplicates;
    size_t count, capacity;
    uint64_t line, imported, skipped;
    bool in_export;           /* behind a first line, and its last one has not come */
    uint64_t of_export;       /* messages since then */
    char (*dead)[MQ_ID_SIZE]; /* with --once: the dead letters that are there */
    size_t dead_count, dead_room;
};

__attribute__((format(printf, 3, 4))) static int wrong(const struct import *import, int status, const char *format, ...)
{
    char problem[512];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(problem, sizeof problem, format, arguments);
    va_end(arguments);
    return cli_fail(status, mq_queue_name(import->queue), "line %" PRIu64 ": %s; %" PRIu64 " imported", import->line,
                    problem, import->imported);
}

/* ---- messages ------------------------------------------------------------------------- */

static void release(struct import *import)
{
    for (size_t i = 0; i < import->count; i++) {
        mq_message_free(import->messages[i]);
        json_record_release(&import->held[i]);
    }
    import->count = 0;
}

/* Send what was collected. An error is of the first message that was not sent. */
static int flush(struct import *import)
{
    size_t sent = 0;
    if (import->count == 0)
        return STATUS_DONE;
    const int error = mq_send_batch(import->queue, import->messages, import->count, &import->options, NULL, &sent);
    for (size_t i = 0; i < sent && import->options.once; i++)
        import->skipped += import->duplicates[i];
    import->imported += sent;
    release(import);
    records_let_go(&import->records);
    if (!error)
        return STATUS_DONE;
    import->line = import->lines[sent];
    return wrong(import, cli_status(error), "cannot import: %s", cli_reason(error));
}

static int compare_ids(const void *one, const void *other)
{
    return strcmp(one, other);
}

static int note_dead(const struct mq_entry *entry, void *context)
{
    struct import *import = context;
    if (!GROW(import->dead, import->dead_count + 1, import->dead_room))
        return -ENOMEM;
    strcpy(import->dead[import->dead_count++], entry->id);
    return 0;
}

static bool is_dead_already(const struct import *import, const char *id)
{
    return import->dead_count > 0 && bsearch(id, import->dead, import->dead_count, sizeof *import->dead, compare_ids);
}

/* What mq-send -j leaves out: when it was sent, how often it was tried, and of a dead letter when it died and why. NULL, or
   the member that is wrong. */
static const char *take_past(mq_message *message, const struct json_past *past, bool *ret_dead)
{
    int64_t moment;
    *ret_dead = past->state && strcmp(past->state, mq_state_name(MQ_DEAD)) == 0;
    if (past->timestamp &&
        (!moment_parse_rfc3339(past->timestamp, &moment) || mq_message_set_sent_at(message, moment) != 0))
        return "timestamp";
    if (past->attempts < 0 || past->attempts > 1e9 || mq_message_set_attempts(message, (unsigned)past->attempts) != 0)
        return "attempts";
    if (!*ret_dead)
        return NULL;
    if (!past->died || !moment_parse_rfc3339(past->died, &moment))
        return "died";
    return past->reason && mq_message_set_death(message, moment, past->reason) == 0 ? NULL : "reason";
}

static int add(struct import *import, char *text, size_t size)
{
    mq_message *message;
    struct json_record record;
    bool dead = false;
    const int error = mq_message_new(&message);
    if (error)
        return wrong(import, cli_status(error), "%s", cli_reason(error));
    const bool is_good = json_to_message_in_place(text, size, message, &record);
    const char *member = is_good ? take_past(message, &record.past, &dead) : NULL;
    if (import->options.once) /* the marks of messages sent once do not tell it */
        (void)mq_message_set_max_attempts(message, 0);
    const bool skips = is_good && !member && dead && is_dead_already(import, mq_message_id(message));
    import->of_export++;
    if (is_good && !member && !skips) {
        import->messages[import->count] = message;
        import->lines[import->count] = import->line;
        import->held[import->count++] = record;
        return STATUS_DONE;
    }
    import->imported += skips;
    import->skipped += skips;
    int status = skips ? STATUS_DONE : flush(import); /* those before it are good */
    if (!skips && status == STATUS_DONE)
        status = member ? wrong(import, STATUS_DATA, "%s: malformed, or out of range", member)
                        : wrong(import, STATUS_DATA, "%s", record.problem);
    mq_message_free(message);
    json_record_release(&record);
    return status;
}

/* ---- the first and the last line ------------------------------------------------------ */

static int cut_short(const struct import *import)
{
    return wrong(import, STATUS_DATA,
                 "the export ends too early, or another one begins in it: import the whole one again with --once");
}

static int begin(struct import *import, const json_t *version)
{
    if (import->in_export)
        return cut_short(import);
    if (json_integer_value(version) != EXPORT_VERSION)
        return wrong(import, STATUS_DATA, "an export of another version of mq, which this one does not know");
    import->in_export = true;
    import->of_export = 0;
    return STATUS_DONE;
}

static int end(struct import *import, const json_t *count)
{
    if (!import->in_export || (uint64_t)json_integer_value(count) != import->of_export)
        return wrong(import, STATUS_DATA, "the export has %" JSON_INTEGER_FORMAT " messages, and %" PRIu64 " came",
                     json_integer_value(count), import->of_export);
    import->in_export = false;
    return STATUS_DONE;
}

static int take_line(struct import *import, char *text, size_t size)
{
    static const char mark[] = "{\"" EXPORT_BEGIN;
    import->line++;
    if (json_is_blank(text, size))
        return STATUS_DONE;
    if (size < sizeof mark || memcmp(text, mark, sizeof mark - 1) != 0)
        return add(import, text, size);
    json_t *root = json_loadb(text, size, 0, NULL);
    const json_t *version = json_object_get(root, EXPORT_BEGIN), *count = json_object_get(root, EXPORT_END);
    int status = flush(import);
    if (status == STATUS_DONE)
        status = version ? begin(import, version)
                 : count ? end(import, count)
                         : wrong(import, STATUS_DATA, "malformed");
    json_decref(root);
    return status;
}

/* ---- all lines ------------------------------------------------------------------------ */

/* It is the line after the last one that was read. */
static int cannot_read(struct import *import, int error)
{
    const bool is_long = error == -EMSGSIZE;
    import->line++;
    return wrong(import, is_long ? STATUS_DATA : cli_status(error), "cannot read it: %s",
                 is_long ? "longer than 64 MiB" : cli_reason(error));
}

static int read_all(struct import *import)
{
    char *text;
    size_t size;
    int status = STATUS_DONE;
    while (status == STATUS_DONE) {
        int got = records_at_hand(&import->records, &text, &size);
        if (got == 0)
            got = records_next(&import->records, RECORDS_PATIENT, &text, &size);
        if (got == -EAGAIN)
            status = flush(import);
        else if (got < 0)
            status = cannot_read(import, got);
        else if (got == 0)
            break;
        else
            status = take_line(import, text, size);
        if (status == STATUS_DONE && import->count == import->capacity)
            status = flush(import);
    }
    if (status == STATUS_DONE)
        status = flush(import);
    return status == STATUS_DONE && import->in_export ? cut_short(import) : status;
}

static int prepare(struct import *import)
{
    import->capacity = mq_send_batch_most(import->queue, &import->options);
    import->records = (struct records){.fd = STDIN_FILENO, .separator = '\n', .together = import->capacity};
    import->messages = cli_must(calloc(import->capacity, sizeof(mq_message *)));
    import->held = cli_must(calloc(import->capacity, sizeof *import->held));
    import->lines = cli_must(calloc(import->capacity, sizeof *import->lines));
    import->duplicates = cli_must(calloc(import->capacity, sizeof *import->duplicates));
    import->options.ret_duplicates = import->duplicates;
    const int error = import->options.once ? mq_browse(import->queue, MQ_DEAD, note_dead, import) : 0;
    if (import->dead_count > 1)
        qsort(import->dead, import->dead_count, sizeof *import->dead, compare_ids);
    return error;
}

int import_queue(const char *name, bool once)
{
    struct import import = {.options = {MQ_SEND_DEFAULTS}};
    int status = cli_open(name, MQ_CREATE, &import.queue);
    if (status != STATUS_DONE)
        return status;
    import.options.once = once;
    const int error = prepare(&import);
    status = error ? cli_queue_error(error, name, "cannot look for dead letters") : read_all(&import);
    release(&import);
    records_release(&import.records);
    free(import.messages);
    free(import.held);
    free(import.lines);
    free(import.duplicates);
    free(import.dead);
    mq_close(import.queue);
    cli_note(name, "%" PRIu64 " imported, of which %" PRIu64 " had been there", import.imported, import.skipped);
    return status;
}
