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

/* What an object says of the time before it was printed, as mq-recv and mq-queue do. NULL or 0: it does not. */
struct json_past {
    const char *timestamp, *receipt, *state, *died, *reason;
    double attempts;
};

/* Memory that must live until the message is sent. Release it also after an error. */
struct json_record {
    json_t *root;  /* NULL: the strings of the message lie in the text of the object */
    char *copy;    /* of that text */
    char *decoded; /* a body that had to be decoded */
    struct json_past past;
    char problem[256]; /* what is wrong with the object */
};

/* Whether the line is blank. Blank lines are skipped. */
bool json_is_blank(const char *text, size_t size);

bool json_to_message(const char *text, size_t size, mq_message *message, struct json_record *ret_record);

/* The same, and faster. The text, and the byte behind it, may be changed, and must live as long as the record. */
bool json_to_message_in_place(char *text, size_t size, mq_message *message, struct json_record *ret_record);

void json_record_release(struct json_record *record);

#endif
