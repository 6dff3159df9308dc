/* Messages as JSON, and JSON Lines on standard output. */
#ifndef JSON_WRITE_H
#define JSON_WRITE_H

#include <jansson.h>
#include <mq.h>
#include <stdbool.h>
#include <stdint.h>

#include "message/json_text.h"

/* What to say of a message beside what is in it. */
struct json_shown {
    const char *queue;
    const char *receipt; /* NULL: none */
    bool no_attempts, no_max_attempts;
};

/* Begin an object with a message, whose body is read to its end. The caller adds what else there is to say, and ends
   the object. 0, or the error of reading the body. */
int json_from_message(mq_message *message, const struct json_shown *shown, struct json_text *text);

/* A member of any form. */
void json_text_value(struct json_text *text, const char *name, const json_t *value);

/* Unless there was an error before, end the object and print it with stdio; in any case release it. */
int json_text_print(struct json_text *text, int error);

/* A moment as a string, as moment_format writes it. NULL: out of memory. */
json_t *json_moment(int64_t moment);

/* The object as a line of text, which the caller frees; NULL: out of memory. */
char *json_line(const json_t *object);

/* Print the object as a line with stdio, and free it. If it is NULL, memory is out and the program ends: only for
   programs that hold no claim. */
void json_print(json_t *object);

#endif
