/* Messages that are sent together. */
#include "send/send_buffer.h"

#include <stdlib.h>

#include "cli/cli.h"
#include "message/json_read.h"

/* Holds either bodies, which are sent by one model message, or messages from JSON, which differ in more than the
   body. */
struct send_buffer {
    size_t capacity, count;
    mq_message *(*make)(int *ret_status);

    mq_message *model; /* the message that is sent with each body */
    struct iovec *bodies;

    mq_message **messages;
    struct json_record *records;
    struct json_record bad; /* the last object that was not a message */
};

struct send_buffer *send_buffer_new(size_t capacity, mq_message *(*make)(int *ret_status))
{
    struct send_buffer *send_buffer = cli_must(calloc(1, sizeof *send_buffer));
    send_buffer->capacity = capacity;
    send_buffer->make = make;
    return send_buffer;
}

static void empty(struct send_buffer *send_buffer)
{
    for (size_t i = 0; i < send_buffer->count && send_buffer->messages; i++) {
        json_record_release(&send_buffer->records[i]);
        mq_message_free(send_buffer->messages[i]);
    }
    send_buffer->count = 0;
}

void send_buffer_free(struct send_buffer *send_buffer)
{
    empty(send_buffer);
    json_record_release(&send_buffer->bad);
    mq_message_free(send_buffer->model);
    free(send_buffer->bodies);
    free(send_buffer->messages);
    free(send_buffer->records);
    free(send_buffer);
}

size_t send_buffer_count(const struct send_buffer *send_buffer)
{
    return send_buffer->count;
}

bool send_buffer_is_full(const struct send_buffer *send_buffer)
{
    return send_buffer->count == send_buffer->capacity;
}

int send_buffer_add_bytes(struct send_buffer *send_buffer, char *data, size_t size)
{
    int status = STATUS_DONE;
    if (!send_buffer->bodies) {
        send_buffer->bodies = cli_must(calloc(send_buffer->capacity, sizeof *send_buffer->bodies));
        send_buffer->model = send_buffer->make(&status);
    }
    if (status == STATUS_DONE)
        send_buffer->bodies[send_buffer->count++] = (struct iovec){data, size};
    return status;
}

int send_buffer_add_json(struct send_buffer *send_buffer, char *text, size_t size, const char **ret_problem)
{
    int status;
    if (!send_buffer->messages) {
        send_buffer->messages = cli_must(calloc(send_buffer->capacity, sizeof(mq_message *)));
        send_buffer->records = cli_must(calloc(send_buffer->capacity, sizeof *send_buffer->records));
    }
    mq_message *message = send_buffer->make(&status);
    if (!message)
        return status;
    struct json_record record;
    if (!json_to_message_in_place(text, size, message, &record)) {
        mq_message_free(message);
        json_record_release(&send_buffer->bad);
        send_buffer->bad = record;
        *ret_problem = send_buffer->bad.problem;
        return STATUS_DATA;
    }
    send_buffer->messages[send_buffer->count] = message;
    send_buffer->records[send_buffer->count++] = record;
    return STATUS_DONE;
}

int send_buffer_send(struct send_buffer *send_buffer, const struct destination *to,
                     const struct mq_send_options *options, char (*ret_ids)[MQ_ID_SIZE], uint64_t *ret_offsets,
                     size_t *ret_sent)
{
    const size_t count = send_buffer->count;
    const int error = send_buffer->messages ? destination_send_batch(to, send_buffer->messages, count, options, ret_ids,
                                                                     ret_offsets, ret_sent)
                                            : destination_send_bodies(to, send_buffer->model, send_buffer->bodies,
                                                                      count, options, ret_ids, ret_offsets, ret_sent);
    empty(send_buffer);
    return error;
}
