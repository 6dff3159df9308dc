/*
 * Messages that are collected in the order of the input and sent together.
 *
 *     struct send_buffer *send_buffer = send_buffer_new(capacity, make_message);
 *     send_buffer_add_bytes(send_buffer, line, size) …
 *     send_buffer_send(send_buffer, &destination, options, ids, &sent);
 *     send_buffer_free(send_buffer);
 *
 * What was added must stay where it is until it is sent.
 */
#ifndef SEND_BUFFER_H
#define SEND_BUFFER_H

#include <mq.h>
#include <stdbool.h>
#include <stddef.h>

#include "send/destination.h"

struct send_buffer;

/* A buffer for up to `capacity` messages. `make` returns a new message with what is common to all, and reports its
   errors. */
struct send_buffer *send_buffer_new(size_t capacity, mq_message *(*make)(int *ret_status));
void send_buffer_free(struct send_buffer *send_buffer);

size_t send_buffer_count(const struct send_buffer *send_buffer);
bool send_buffer_is_full(const struct send_buffer *send_buffer);

/* Add a message with this body. Returns an exit status. A buffer takes either bodies or JSON, not both. */
int send_buffer_add_bytes(struct send_buffer *send_buffer, char *data, size_t size);

/* Add the message that a JSON object describes. Its text may be changed. STATUS_DATA: `ret_problem` tells what is wrong
   with it, until the next call. */
int send_buffer_add_json(struct send_buffer *send_buffer, char *text, size_t size, const char **ret_problem);

/* Send them all, as mq_send_batch does. The buffer is empty afterwards, also after an error. */
int send_buffer_send(struct send_buffer *send_buffer, const struct destination *to,
                     const struct mq_send_options *options, char (*ret_ids)[MQ_ID_SIZE], uint64_t *ret_offsets,
                     size_t *ret_sent);

#endif
