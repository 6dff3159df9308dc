/*
 * An object of JSON that is written from left to right.
 *
 *     struct json_text text = {0};
 *     json_text_begin(&text);
 *     json_text_string(&text, "id", id);
 *     json_text_open(&text, "headers"); … json_text_close(&text);
 *     if (json_text_end(&text) == 0) … text.data, text.size …
 *     json_text_release(&text);
 *
 * The memory serves one object after the other. If it is short, json_text_end tells. Bytes that are not UTF-8 are
 * written as the replacement character.
 */
#ifndef JSON_TEXT_H
#define JSON_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct json_text {
    char *data;
    size_t size, room;
    bool is_ascii; /* set by the caller: other characters are escaped */
    bool is_short; /* of memory */
};

/* Begin a new object. */
void json_text_begin(struct json_text *text);

/* Members of the object. */
void json_text_string(struct json_text *text, const char *name, const char *value);
void json_text_bytes(struct json_text *text, const char *name, const char *value, size_t size);
void json_text_base64(struct json_text *text, const char *name, const char *data, size_t size);
void json_text_number(struct json_text *text, const char *name, uint64_t value);
void json_text_moment(struct json_text *text, const char *name, int64_t moment);
void json_text_raw(struct json_text *text, const char *name, const char *json);

/* A member that is an object itself. */
void json_text_open(struct json_text *text, const char *name);
void json_text_close(struct json_text *text);

/* Close the object, and put a newline behind it. 0, or -ENOMEM. */
int json_text_end(struct json_text *text);

void json_text_release(struct json_text *text);

#endif
