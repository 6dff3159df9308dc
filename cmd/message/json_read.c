/*
 * A message to send, from JSON. The members that mq-recv -j adds are allowed, so that its output can be sent again.
 * Those that describe the delivery have no effect.
 */
#include "message/json_read.h"

#include "base/units.h"
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "cli/cli.h"
#include "message/json_raw.h"
#include "text/base64.h"
#include "text/moment.h"

struct reader {
    mq_message *message;
    const char *text; /* of the whole object */
    size_t size;
    struct json_record *record;
};

__attribute__((format(printf, 2, 3))) static bool wrong(struct reader *reader, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(reader->record->problem, sizeof reader->record->problem, format, arguments);
    va_end(arguments);
    return false;
}

/* The text of a string. NULL: the value is not a string, or contains a NUL. */
static const char *plain_string(const json_t *value)
{
    const char *text = json_string_value(value);
    return text && strlen(text) == json_string_length(value) ? text : NULL;
}

/* ---- members -------------------------------------------------------------------- */

/* A value that is not a string is sent as the JSON text that it is. */
static bool take_body_as_json(struct reader *reader, const char *member)
{
    reader->record->decoded = malloc(reader->size);
    if (!reader->record->decoded)
        return wrong(reader, "%s: %s", member, cli_reason(-ENOMEM));
    const size_t size = json_raw_member(reader->text, reader->size, member, reader->record->decoded);
    mq_message_set_body(reader->message, reader->record->decoded, size);
    return true;
}

static bool take_body(struct reader *reader, const char *member, const json_t *value)
{
    if (!json_is_string(value))
        return take_body_as_json(reader, member);
    mq_message_set_body(reader->message, json_string_value(value), json_string_length(value));
    return true;
}

/* Set Content-Type: application/json, unless the object or the command line gives a Content-Type. */
static bool say_type_of_body(struct reader *reader)
{
    const json_t *body = json_object_get(reader->record->root, "body");
    if (!body || json_is_string(body) || mq_message_header(reader->message, "Content-Type"))
        return true;
    const int error = mq_message_set_header(reader->message, "Content-Type", "application/json");
    return !error || wrong(reader, "body: %s", cli_reason(error));
}

static bool take_body_base64(struct reader *reader, const char *member, const json_t *value)
{
    size_t size = json_string_length(value);
    if (!json_is_string(value))
        return wrong(reader, "%s: not a string", member);
    if (json_object_get(reader->record->root, "body"))
        return wrong(reader, "%s: there is a body already", member);
    reader->record->decoded = malloc(size / 4 * 3 + 1);
    if (!reader->record->decoded)
        return wrong(reader, "%s: %s", member, cli_reason(-ENOMEM));
    if (!base64_decode(json_string_value(value), size, reader->record->decoded, &size))
        return wrong(reader, "%s: not base64", member);
    mq_message_set_body(reader->message, reader->record->decoded, size);
    return true;
}

static bool take_id(struct reader *reader, const char *member, const json_t *value)
{
    const char *id = plain_string(value);
    return (id && mq_message_set_id(reader->message, id) == 0) ||
           wrong(reader, "%s: not an id: it takes 1 to 64 of A-Z a-z 0-9 _ -", member);
}

/* Whether another header of the object has the same name in another case. It would replace this one. */
static bool is_twice(const json_t *headers, const char *name)
{
    const char *other;
    json_t *value;
    json_object_foreach((json_t *)(uintptr_t)headers, other, value)
    {
        if (strcasecmp(other, name) == 0)
            return strcmp(other, name) != 0;
    }
    return false;
}

static bool take_headers(struct reader *reader, const char *member, const json_t *value)
{
    const char *name;
    json_t *header;
    if (!json_is_object(value))
        return wrong(reader, "%s: not an object", member);
    json_object_foreach((json_t *)(uintptr_t)value, name, header)
    {
        const char *text = plain_string(header);
        if (is_twice(value, name))
            return wrong(reader, "%s: %.64s: given twice, since case makes no difference", member, name);
        const int error = text ? mq_message_set_header(reader->message, name, text) : -EINVAL;
        if (error == -EPERM)
            return wrong(reader, "%s: %.64s: mq writes this one itself", member, name);
        if (error == -EINVAL)
            return wrong(reader, "%s: %.64s: not a name and a string of one line", member, name);
        if (error)
            return wrong(reader, "%s: %.64s: %s", member, name, cli_reason(error));
    }
    return true;
}

/* Whether a number is whole. All numbers are read as real numbers, since jansson refuses integers that are too large. */
static bool is_whole(const json_t *value)
{
    const double number = json_number_value(value);
    return json_is_number(value) && number >= -1e15 && number <= 1e15 && number <= (double)(int64_t)number &&
           number >= (double)(int64_t)number;
}

static bool take_priority(struct reader *reader, const char *member, const json_t *value)
{
    const double priority = json_number_value(value);
    if (!is_whole(value) || priority < 0 || priority > 9)
        return wrong(reader, "%s: not a whole number from 0 to 9", member);
    return mq_message_set_priority(reader->message, (int)priority) == 0;
}

/* "5m", or a number of seconds. */
static bool parse_duration(const json_t *value, int64_t *ret_duration)
{
    const double seconds = json_number_value(value);
    const char *text = plain_string(value);
    if (text)
        return units_parse_duration(text, ret_duration);
    if (!json_is_number(value) || !(seconds >= 0 && seconds < 1e12))
        return false;
    *ret_duration = (int64_t)(seconds * 1e6);
    return true;
}

static bool take_delay(struct reader *reader, const char *member, const json_t *value)
{
    int64_t delay;
    if (!parse_duration(value, &delay) || mq_message_set_delay(reader->message, delay) != 0)
        return wrong(reader, "%s: neither a duration such as \"5m\" nor a number of seconds", member);
    return mq_message_set_due(reader->message, 0) == 0; /* --at was a default */
}

static bool take_ttl(struct reader *reader, const char *member, const json_t *value)
{
    int64_t ttl;
    if (json_object_get(reader->record->root, "expires"))
        return wrong(reader, "%s: there is expires already", member);
    return (parse_duration(value, &ttl) && ttl > 0 && mq_message_set_ttl(reader->message, ttl) == 0) ||
           wrong(reader, "%s: neither a duration such as \"5m\" nor a number of seconds above 0", member);
}

static bool take_expires(struct reader *reader, const char *member, const json_t *value)
{
    const char *text = plain_string(value);
    int64_t expires;
    return (text && moment_parse_rfc3339(text, &expires) && mq_message_set_expires(reader->message, expires) == 0) ||
           wrong(reader, "%s: not a time such as \"2026-11-24T10:30:00Z\"", member);
}

/* The header Group, under the name of the option. */
static bool take_group(struct reader *reader, const char *member, const json_t *value)
{
    const char *text = plain_string(value);
    const json_t *headers = json_object_get(reader->record->root, "headers");
    const char *name;
    json_t *header;
    json_object_foreach((json_t *)(uintptr_t)headers, name, header)
    {
        if (strcasecmp(name, "Group") == 0)
            return wrong(reader, "%s: there is a header Group already", member);
    }
    return (text && mq_message_set_header(reader->message, "Group", text) == 0) ||
           wrong(reader, "%s: not a string of one line", member);
}

static bool take_max_attempts(struct reader *reader, const char *member, const json_t *value)
{
    const double most = json_number_value(value);
    if (!is_whole(value) || most < 1 || most > MQ_MAX_ATTEMPTS_MOST)
        return wrong(reader, "%s: not a whole number from 1 to 1000000", member);
    return mq_message_set_max_attempts(reader->message, (unsigned)most) == 0;
}

/* As mq-queue prints it of a message that is delayed. */
static bool take_due(struct reader *reader, const char *member, const json_t *value)
{
    const char *text = plain_string(value);
    int64_t due;
    if (json_object_get(reader->record->root, "delay"))
        return wrong(reader, "%s: there is delay already", member);
    return (text && moment_parse_rfc3339(text, &due) && mq_message_set_due(reader->message, due) == 0) ||
           wrong(reader, "%s: not a time such as \"2026-11-24T10:30:00Z\"", member);
}

static bool check_string(struct reader *reader, const char *member, const json_t *value)
{
    return json_is_string(value) || wrong(reader, "%s: not a string", member);
}

static bool check_integer(struct reader *reader, const char *member, const json_t *value)
{
    return is_whole(value) || wrong(reader, "%s: not a whole number", member);
}

static const struct member {
    const char *name;
    bool (*take)(struct reader *reader, const char *member, const json_t *value);
} members[] = {
    {"body", take_body},         {"body_base64", take_body_base64},   {"id", take_id},
    {"headers", take_headers},   {"priority", take_priority},         {"delay", take_delay},
    {"ttl", take_ttl},           {"expires", take_expires},           {"group", take_group},
    {"queue", check_string},     {"receipt", check_string},           {"attempts", check_integer},
    {"timestamp", check_string}, {"max_attempts", take_max_attempts}, {"due", take_due},
    {"state", check_string},     {"deadline", check_string},          {"died", check_string},
    {"reason", check_string},    {"offset", check_integer},
};

static bool take_member(struct reader *reader, const char *name, const json_t *value)
{
    for (size_t i = 0; i < sizeof members / sizeof *members; i++)
        if (strcmp(members[i].name, name) == 0)
            return members[i].take(reader, name, value);
    return wrong(reader,
                 "%.64s: no such member: there are body, body_base64, id, headers, group, priority, delay, ttl, "
                 "expires, due, max_attempts",
                 name);
}

/* ---- the object ----------------------------------------------------------------- */

#define ONE_A_LINE "an object takes one line, as jq -c prints it"

static bool load(struct reader *reader)
{
    json_error_t error;
    reader->record->root = json_loadb(reader->text, reader->size,
                                      JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL | JSON_DECODE_INT_AS_REAL, &error);
    if (json_is_object(reader->record->root))
        return true;
    if (reader->record->root)
        return wrong(reader, "invalid JSON: not an object");
    switch (json_error_code(&error)) {
    case json_error_premature_end_of_input:
        return wrong(reader, "invalid JSON: it ends too early: " ONE_A_LINE);
    case json_error_end_of_input_expected:
        return wrong(reader, "invalid JSON: more than an object, from column %d on: " ONE_A_LINE, error.column);
    default:
        return wrong(reader, "invalid JSON: %s at column %d", error.text, error.column);
    }
}

bool json_is_blank(const char *text, size_t size)
{
    while (size > 0 && strchr(" \t\r\n", text[size - 1]) && text[size - 1])
        size--;
    return size == 0;
}

bool json_to_message(const char *text, size_t size, mq_message *message, struct json_record *ret_record)
{
    struct reader reader = {.message = message, .text = text, .size = size, .record = ret_record};
    const char *name;
    json_t *value;
    *ret_record = (struct json_record){0};
    if (!load(&reader))
        return false;
    json_object_foreach(ret_record->root, name, value)
    {
        if (!take_member(&reader, name, value))
            return false;
    }
    return say_type_of_body(&reader);
}

void json_record_release(struct json_record *record)
{
    json_decref(record->root);
    free(record->decoded);
}
