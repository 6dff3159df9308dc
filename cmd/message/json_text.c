/* Writing JSON. */
#include "message/json_text.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/grow.h"
#include "base/put.h"
#include "base/utf8.h"
#include "message/json_plain.h"
#include "text/base64.h"
#include "text/moment.h"

#define ESCAPE_SIZE 12 /* the longest: a pair of \uXXXX */
#define NUMBER_SIZE 20
#define REPLACEMENT 0xFFFD

/* Room for this many more bytes, which the caller writes; NULL: there is none. */
static inline char *room_for(struct json_text *text, size_t size)
{
    if (text->is_short || !GROW(text->data, text->size + size, text->room)) {
        text->is_short = true;
        return NULL;
    }
    return text->data + text->size;
}

static void append(struct json_text *text, const void *bytes, size_t size)
{
    char *const at = room_for(text, size);
    if (at)
        text->size = (size_t)(put_bytes(at, bytes, size) - text->data);
}

static inline void append_byte(struct json_text *text, char byte)
{
    char *const at = room_for(text, 1);
    if (!at)
        return;
    *at = byte;
    text->size++;
}

/* ---- strings ------------------------------------------------------------------------- */

static char *put_unit(char *at, uint32_t unit)
{
    static const char digits[] = "0123456789ABCDEF";
    *at++ = '\\';
    *at++ = 'u';
    for (int shift = 12; shift >= 0; shift -= 4)
        *at++ = digits[unit >> shift & 0xF];
    return at;
}

static char *put_escaped(char *at, uint32_t code)
{
    static const char meanings[] = "\"\\\b\f\n\r\t", escapes[] = "\"\\bfnrt";
    const char *const known = code > 0 && code < 0x80 ? strchr(meanings, (int)code) : NULL;
    if (known) {
        *at++ = '\\';
        *at++ = escapes[known - meanings];
        return at;
    }
    if (code < 0x10000)
        return put_unit(at, code);
    return put_unit(put_unit(at, 0xD800 + ((code - 0x10000) >> 10)), 0xDC00 + ((code - 0x10000) & 0x3FF));
}

/* Append the character that begins at `at`, which may be malformed. Returns its length. */
static size_t append_character(struct json_text *text, const char *at, const char *end)
{
    uint32_t code;
    size_t length = utf8_decode((const unsigned char *)at, (size_t)(end - at), &code);
    const bool is_good = length > 0;
    if (!is_good) {
        code = REPLACEMENT;
        length = 1;
    }
    if (is_good && code >= 0x80 && !text->is_ascii) {
        append(text, at, length);
        return length;
    }
    char *const to = room_for(text, ESCAPE_SIZE);
    if (to)
        text->size = (size_t)(put_escaped(to, code) - text->data);
    return length;
}

/* Append a string some of whose characters may need an escape; of it `plain` bytes do not. */
static void append_mixed(struct json_text *text, const char *value, size_t size, size_t plain)
{
    const char *const end = value + size;
    append_byte(text, '"');
    for (;; plain = json_plain_length(value, end)) {
        append(text, value, plain);
        value += plain;
        if (value == end)
            break;
        value += append_character(text, value, end);
    }
    append_byte(text, '"');
}

static void append_string(struct json_text *text, const char *value, size_t size)
{
    const size_t plain = json_plain_length(value, value + size);
    char *const at = plain == size ? room_for(text, size + 2) : NULL;
    if (plain < size)
        append_mixed(text, value, size, plain);
    if (!at)
        return;
    *at = '"';
    *put_bytes(at + 1, value, size) = '"';
    text->size += size + 2;
}

/* ---- members ------------------------------------------------------------------------- */

static void append_name(struct json_text *text, const char *name)
{
    if (text->size > 0 && !text->is_short && text->data[text->size - 1] != '{')
        append_byte(text, ',');
    append_string(text, name, strlen(name));
    append_byte(text, ':');
}

void json_text_begin(struct json_text *text)
{
    text->size = 0;
    text->is_short = false;
    append_byte(text, '{');
}

void json_text_bytes(struct json_text *text, const char *name, const char *value, size_t size)
{
    append_name(text, name);
    append_string(text, value, size);
}

void json_text_string(struct json_text *text, const char *name, const char *value)
{
    json_text_bytes(text, name, value, strlen(value));
}

void json_text_base64(struct json_text *text, const char *name, const char *data, size_t size)
{
    append_name(text, name);
    char *const at = room_for(text, BASE64_SIZE(size) + 2);
    if (!at)
        return;
    *at = '"';
    base64_encode(data, size, at + 1);
    at[BASE64_SIZE(size) + 1] = '"';
    text->size += BASE64_SIZE(size) + 2;
}

void json_text_number(struct json_text *text, const char *name, uint64_t value)
{
    append_name(text, name);
    char *const at = room_for(text, NUMBER_SIZE);
    if (at)
        text->size = (size_t)(put_decimal(at, value) - text->data);
}

void json_text_moment(struct json_text *text, const char *name, int64_t moment)
{
    char written[MOMENT_SIZE];
    moment_format(moment, written);
    json_text_string(text, name, written);
}

void json_text_raw(struct json_text *text, const char *name, const char *json)
{
    append_name(text, name);
    append(text, json, strlen(json));
}

void json_text_open(struct json_text *text, const char *name)
{
    append_name(text, name);
    append_byte(text, '{');
}

void json_text_close(struct json_text *text)
{
    append_byte(text, '}');
}

int json_text_end(struct json_text *text)
{
    append(text, "}\n", 2);
    return text->is_short ? -ENOMEM : 0;
}

void json_text_release(struct json_text *text)
{
    free(text->data);
    *text = (struct json_text){0};
}
