/* Messages on their way. */
#include "bundle.h"

#include <stdlib.h>

#include "cli.h"
#include "json_read.h"

struct bundle {
    size_t capacity, count;
    mq_message *(*make)(int *ret_status);
    mq_message **messages; /* those beyond `count` are to be used again, or NULL */
    struct json_record *records;
    size_t record_count;
    struct json_record bad; /* the last one that was no message */
};

struct bundle *bundle_new(size_t capacity, mq_message *(*make)(int *ret_status))
{
    struct bundle *bundle = cli_must(calloc(1, sizeof *bundle));
    bundle->capacity = capacity;
    bundle->make = make;
    bundle->messages = cli_must(calloc(capacity, sizeof(mq_message *)));
    return bundle;
}

/* Messages from JSON differ in more than their body, so none is used again. */
static void forget_records(struct bundle *bundle)
{
    for (size_t i = 0; i < bundle->record_count; i++) {
        json_record_release(&bundle->records[i]);
        mq_message_free(bundle->messages[i]);
        bundle->messages[i] = NULL;
    }
    bundle->record_count = 0;
}

void bundle_free(struct bundle *bundle)
{
    forget_records(bundle);
    json_record_release(&bundle->bad);
    for (size_t i = 0; i < bundle->capacity; i++)
        mq_message_free(bundle->messages[i]);
    free(bundle->messages);
    free(bundle->records);
    free(bundle);
}

size_t bundle_count(const struct bundle *bundle)
{
    return bundle->count;
}

bool bundle_is_full(const struct bundle *bundle)
{
    return bundle->count == bundle->capacity;
}

/* The message at the end, made where there is none. */
static mq_message *message_at_end(struct bundle *bundle, int *ret_status)
{
    mq_message **place = &bundle->messages[bundle->count];
    *ret_status = STATUS_DONE;
    if (!*place)
        *place = bundle->make(ret_status);
    return *place;
}

int bundle_add_bytes(struct bundle *bundle, const char *data, size_t size)
{
    int status;
    mq_message *message = message_at_end(bundle, &status);
    if (!message)
        return status;
    mq_message_set_body(message, data, size);
    bundle->count++;
    return STATUS_DONE;
}

int bundle_add_json(struct bundle *bundle, const char *text, size_t size, const char **ret_problem)
{
    struct json_record record;
    int status;
    mq_message *message = message_at_end(bundle, &status);
    if (!message)
        return status;
    if (!bundle->records)
        bundle->records = cli_must(calloc(bundle->capacity, sizeof *bundle->records));
    if (!json_to_message(text, size, message, &record)) {
        json_record_release(&bundle->bad);
        bundle->bad = record;
        *ret_problem = bundle->bad.problem;
        return STATUS_DATA;
    }
    bundle->records[bundle->record_count++] = record;
    bundle->count++;
    return STATUS_DONE;
}

int bundle_send(struct bundle *bundle, mq_queue *queue, const struct mq_send_options *options,
                char (*ret_ids)[MQ_ID_SIZE], size_t *ret_sent)
{
    *ret_sent = 0;
    const int error = mq_send_batch(queue, bundle->messages, bundle->count, options, ret_ids, ret_sent);
    bundle->count = 0;
    forget_records(bundle);
    return error;
}
