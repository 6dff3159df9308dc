/*
 * A message to send, from an object of JSON.
 *
 *     struct json_record record;
 *     if (!json_to_message(line, size, message, &record)) ... record.problem ...
 *     mq_send(queue, message, ...);
 *     json_record_release(&record);
 *
 * What the object does not say stays as it is in `message`.
 */
#ifndef JSON_READ_H
#define JSON_READ_H

#include <jansson.h>
#include <mq.h>
#include <stdbool.h>
#include <stddef.h>

/* What must live until the message is sent; to be released whether the text was good or not. */
struct json_record {
    json_t *root;
    char *decoded;     /* a body that is not as it was written */
    char problem[256]; /* what was wrong with it */
};

/* Whether there is nothing in it: a line that is no object, and no mistake either. */
bool json_is_blank(const char *text, size_t size);

bool json_to_message(const char *text, size_t size, mq_message *message, struct json_record *ret_record);
void json_record_release(struct json_record *record);

#endif
