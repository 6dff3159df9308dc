/*
 * A message to send, from an object of JSON.
 *
 *     struct json_record record;
 *     if (!json_to_message(line, size, message, &record)) ... record.problem ...
 *     mq_send(queue, message, ...);
 *     json_record_release(&record);
 *
 * A property without a member in the object stays unchanged in `message`.
 */
#ifndef JSON_READ_H
#define JSON_READ_H

#include <jansson.h>
#include <mq.h>
#include <stdbool.h>
#include <stddef.h>

/* Memory that must live until the message is sent. Release it also after an error. */
struct json_record {
    json_t *root;
    char *decoded;     /* a body that had to be decoded */
    char problem[256]; /* what is wrong with the object */
};

/* Whether the line is blank. Blank lines are skipped. */
bool json_is_blank(const char *text, size_t size);

bool json_to_message(const char *text, size_t size, mq_message *message, struct json_record *ret_record);
void json_record_release(struct json_record *record);

#endif
