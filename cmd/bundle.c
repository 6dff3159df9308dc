/* Messages on their way. */
#include "bundle.h"

#include <stdlib.h>

#include "cli.h"
#include "json_read.h"

/* Either bodies for one message, or messages from JSON, which differ in more than that. */
struct bundle {
    size_t capacity, count;
    mq_message *(*make)(int *ret_status);

    mq_message *model; /* has the bodies */
    struct iovec *bodies;

    mq_message **messages;
    struct json_record *records;
    struct json_record bad; /* the last one that was no message */
};

struct bundle *bundle_new(size_t capacity, mq_message *(*make)(int *ret_status))
{
    struct bundle *bundle = cli_must(calloc(1, sizeof *bundle));
    bundle->capacity = capacity;
    bundle->make = make;
    return bundle;
}

static void empty(struct bundle *bundle)
{
    for (size_t i = 0; i < bundle->count && bundle->messages; i++) {
        json_record_release(&bundle->records[i]);
        mq_message_free(bundle->messages[i]);
    }
    bundle->count = 0;
}

void bundle_free(struct bundle *bundle)
{
    empty(bundle);
    json_record_release(&bundle->bad);
    mq_message_free(bundle->model);
    free(bundle->bodies);
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

int bundle_add_bytes(struct bundle *bundle, char *data, size_t size)
{
    int status = STATUS_DONE;
    if (!bundle->bodies) {
        bundle->bodies = cli_must(calloc(bundle->capacity, sizeof *bundle->bodies));
        bundle->model = bundle->make(&status);
    }
    if (status == STATUS_DONE)
        bundle->bodies[bundle->count++] = (struct iovec){data, size};
    return status;
}

int bundle_add_json(struct bundle *bundle, const char *text, size_t size, const char **ret_problem)
{
    int status;
    if (!bundle->messages) {
        bundle->messages = cli_must(calloc(bundle->capacity, sizeof(mq_message *)));
        bundle->records = cli_must(calloc(bundle->capacity, sizeof *bundle->records));
    }
    mq_message *message = bundle->make(&status);
    if (!message)
        return status;
    struct json_record record;
    if (!json_to_message(text, size, message, &record)) {
        mq_message_free(message);
        json_record_release(&bundle->bad);
        bundle->bad = record;
        *ret_problem = bundle->bad.problem;
        return STATUS_DATA;
    }
    bundle->messages[bundle->count] = message;
    bundle->records[bundle->count++] = record;
    return STATUS_DONE;
}

static int send_messages(struct bundle *bundle, mq_tx *tx, mq_queue *queue, const struct mq_send_options *options,
                         char (*ret_ids)[MQ_ID_SIZE], size_t *ret_sent)
{
    return tx ? mq_tx_send_batch(tx, queue, bundle->messages, bundle->count, options, ret_ids, ret_sent)
              : mq_send_batch(queue, bundle->messages, bundle->count, options, ret_ids, ret_sent);
}

static int send_bodies(struct bundle *bundle, mq_tx *tx, mq_queue *queue, const struct mq_send_options *options,
                       char (*ret_ids)[MQ_ID_SIZE], size_t *ret_sent)
{
    return tx ? mq_tx_send_bodies(tx, queue, bundle->model, bundle->bodies, bundle->count, options, ret_ids, ret_sent)
              : mq_send_bodies(queue, bundle->model, bundle->bodies, bundle->count, options, ret_ids, ret_sent);
}

int bundle_send(struct bundle *bundle, mq_tx *tx, mq_queue *queue, const struct mq_send_options *options,
                char (*ret_ids)[MQ_ID_SIZE], size_t *ret_sent)
{
    const int error = bundle->messages ? send_messages(bundle, tx, queue, options, ret_ids, ret_sent)
                                       : send_bodies(bundle, tx, queue, options, ret_ids, ret_sent);
    empty(bundle);
    return error;
}
