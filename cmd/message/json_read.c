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
#include "message/json_flat.h"
#include "message/json_raw.h"
#include "text/base64.h"
#include "text/moment.h"

/* More members or headers than these are read by jansson. */
#define MEMBERS_MOST 24
#define HEADERS_MOST 32

struct reader {
    mq_message *message;
    const char *text; /* of the whole object */
    size_t size;
    struct json_members members, headers;
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
static const char *plain_string(const struct json_member *value)
{
    return value->text && strlen(value->text) == value->size ? value->text : NULL;
}

static const struct json_member *find(const struct reader *reader, const char *name)
{
    const size_t size = strlen(name);
    for (size_t i = 0; i < reader->members.count; i++) {
        const struct json_member *const member = &reader->members.all[i];
        if (member->name_size == size && memcmp(member->name, name, size) == 0)
            return member;
    }
    return NULL;
}

/* ---- members -------------------------------------------------------------------- */

/* A value that is not a string is sent as the JSON text that it is. */
static bool take_body_as_json(struct reader *reader, const struct json_member *value)
{
    reader->record->decoded = malloc(reader->size);
    if (!reader->record->decoded)
        return wrong(reader, "%s: %s", value->name, cli_reason(-ENOMEM));
    const size_t size = json_raw_member(reader->text, reader->size, value->name, reader->record->decoded);
    mq_message_set_body(reader->message, reader->record->decoded, size);
    return true;
}

static bool take_body(struct reader *reader, const struct json_member *value)
{
    if (!value->text)
        return take_body_as_json(reader, value);
    mq_message_set_body(reader->message, value->text, value->size);
    return true;
}

/* Set Content-Type: application/json, unless the object or the command line gives a Content-Type. */
static bool say_type_of_body(struct reader *reader)
{
    const struct json_member *body = find(reader, "body");
    if (!body || body->text || mq_message_header(reader->message, "Content-Type"))
        return true;
    const int error = mq_message_set_header(reader->message, "Content-Type", "application/json");
    return !error || wrong(reader, "body: %s", cli_reason(error));
}

static bool take_body_base64(struct reader *reader, const struct json_member *value)
{
    size_t size = value->size;
    if (!value->text)
        return wrong(reader, "%s: not a string", value->name);
    if (find(reader, "body"))
        return wrong(reader, "%s: there is a body already", value->name);
    reader->record->decoded = malloc(size / 4 * 3 + 1);
    if (!reader->record->decoded)
        return wrong(reader, "%s: %s", value->name, cli_reason(-ENOMEM));
    if (!base64_decode(value->text, size, reader->record->decoded, &size))
        return wrong(reader, "%s: not base64", value->name);
    mq_message_set_body(reader->message, reader->record->decoded, size);
    return true;
}

static bool take_id(struct reader *reader, const struct json_member *value)
{
    const char *id = plain_string(value);
    return (id && mq_message_set_id(reader->message, id) == 0) ||
           wrong(reader, "%s: not an id: it takes 1 to 64 of A-Z a-z 0-9 _ -", value->name);
}

/* Whether an earlier header of the object has the same name in another case. This one would replace it. */
static bool is_twice(const struct json_members *headers, size_t index)
{
    for (size_t i = 0; i < index; i++)
        if (strcasecmp(headers->all[i].name, headers->all[index].name) == 0)
            return true;
    return false;
}

static bool take_header(struct reader *reader, const struct json_member *headers, const struct json_member *header)
{
    const char *text = plain_string(header);
    const int error = text ? mq_message_set_header(reader->message, header->name, text) : -EINVAL;
    if (error == -EPERM)
        return wrong(reader, "%s: %.64s: mq writes this one itself", headers->name, header->name);
    if (error == -EINVAL)
        return wrong(reader, "%s: %.64s: not a name and a string of one line", headers->name, header->name);
    return !error || wrong(reader, "%s: %.64s: %s", headers->name, header->name, cli_reason(error));
}

static bool take_headers(struct reader *reader, const struct json_member *value)
{
    if (value->type != JSON_OBJECT)
        return wrong(reader, "%s: not an object", value->name);
    for (size_t i = 0; i < reader->headers.count; i++) {
        const struct json_member *header = &reader->headers.all[i];
        if (is_twice(&reader->headers, i))
            return wrong(reader, "%s: %.64s: given twice, since case makes no difference", value->name, header->name);
        if (!take_header(reader, value, header))
            return false;
    }
    return true;
}

/* Whether a number is whole. All numbers are read as real numbers, since jansson refuses integers that are too large. */
static bool is_whole(const struct json_member *value)
{
    const double number = value->number;
    return value->type == JSON_REAL && number >= -1e15 && number <= 1e15 && number <= (double)(int64_t)number &&
           number >= (double)(int64_t)number;
}

static bool take_priority(struct reader *reader, const struct json_member *value)
{
    const double priority = value->number;
    if (!is_whole(value) || priority < 0 || priority > 9)
        return wrong(reader, "%s: not a whole number from 0 to 9", value->name);
    return mq_message_set_priority(reader->message, (int)priority) == 0;
}

/* "5m", or a number of seconds. */
static bool parse_duration(const struct json_member *value, int64_t *ret_duration)
{
    const double seconds = value->number;
    const char *text = plain_string(value);
    if (text)
        return units_parse_duration(text, ret_duration);
    if (value->type != JSON_REAL || !(seconds >= 0 && seconds < 1e12))
        return false;
    *ret_duration = (int64_t)(seconds * 1e6);
    return true;
}

static bool take_delay(struct reader *reader, const struct json_member *value)
{
    int64_t delay;
    if (!parse_duration(value, &delay) || mq_message_set_delay(reader->message, delay) != 0)
        return wrong(reader, "%s: neither a duration such as \"5m\" nor a number of seconds", value->name);
    return mq_message_set_due(reader->message, 0) == 0; /* --at was a default */
}

static bool take_ttl(struct reader *reader, const struct json_member *value)
{
    int64_t ttl;
    if (find(reader, "expires"))
        return wrong(reader, "%s: there is expires already", value->name);
    return (parse_duration(value, &ttl) && ttl > 0 && mq_message_set_ttl(reader->message, ttl) == 0) ||
           wrong(reader, "%s: neither a duration such as \"5m\" nor a number of seconds above 0", value->name);
}

static bool take_expires(struct reader *reader, const struct json_member *value)
{
    const char *text = plain_string(value);
    int64_t expires;
    return (text && moment_parse_rfc3339(text, &expires) && mq_message_set_expires(reader->message, expires) == 0) ||
           wrong(reader, "%s: not a time such as \"2026-11-24T10:30:00Z\"", value->name);
}

/* The header Group, under the name of the option. */
static bool take_group(struct reader *reader, const struct json_member *value)
{
    const char *text = plain_string(value);
    for (size_t i = 0; i < reader->headers.count; i++)
        if (strcasecmp(reader->headers.all[i].name, "Group") == 0)
            return wrong(reader, "%s: there is a header Group already", value->name);
    return (text && mq_message_set_header(reader->message, "Group", text) == 0) ||
           wrong(reader, "%s: not a string of one line", value->name);
}

static bool take_max_attempts(struct reader *reader, const struct json_member *value)
{
    const double most = value->number;
    if (!is_whole(value) || most < 1 || most > MQ_MAX_ATTEMPTS_MOST)
        return wrong(reader, "%s: not a whole number from 1 to 1000000", value->name);
    return mq_message_set_max_attempts(reader->message, (unsigned)most) == 0;
}

/* As mq-queue prints it of a message that is delayed. */
static bool take_due(struct reader *reader, const struct json_member *value)
{
    const char *text = plain_string(value);
    int64_t due;
    if (find(reader, "delay"))
        return wrong(reader, "%s: there is delay already", value->name);
    return (text && moment_parse_rfc3339(text, &due) && mq_message_set_due(reader->message, due) == 0) ||
           wrong(reader, "%s: not a time such as \"2026-11-24T10:30:00Z\"", value->name);
}

static bool check_string(struct reader *reader, const struct json_member *value)
{
    return value->text || wrong(reader, "%s: not a string", value->name);
}

static bool check_integer(struct reader *reader, const struct json_member *value)
{
    return is_whole(value) || wrong(reader, "%s: not a whole number", value->name);
}

/* ---- what was ---------------------------------------------------------------------- */

static bool keep_string(struct reader *reader, const struct json_member *value, const char **ret_text)
{
    *ret_text = value->text;
    return check_string(reader, value);
}

static bool take_timestamp(struct reader *reader, const struct json_member *value)
{
    return keep_string(reader, value, &reader->record->past.timestamp);
}

static bool take_receipt(struct reader *reader, const struct json_member *value)
{
    return keep_string(reader, value, &reader->record->past.receipt);
}

static bool take_state(struct reader *reader, const struct json_member *value)
{
    return keep_string(reader, value, &reader->record->past.state);
}

static bool take_died(struct reader *reader, const struct json_member *value)
{
    return keep_string(reader, value, &reader->record->past.died);
}

static bool take_reason(struct reader *reader, const struct json_member *value)
{
    return keep_string(reader, value, &reader->record->past.reason);
}

static bool take_attempts(struct reader *reader, const struct json_member *value)
{
    reader->record->past.attempts = value->number;
    return check_integer(reader, value);
}

/* ---- all members ------------------------------------------------------------------- */

#define NAMED(name) name, sizeof(name) - 1

/* Those that mq-queue export prints of every message come first. */
static const struct member {
    const char *name;
    size_t size;
    bool (*take)(struct reader *reader, const struct json_member *value);
} known[] = {
    {NAMED("id"), take_id},
    {NAMED("timestamp"), take_timestamp},
    {NAMED("priority"), take_priority},
    {NAMED("attempts"), take_attempts},
    {NAMED("queue"), check_string},
    {NAMED("headers"), take_headers},
    {NAMED("body"), take_body},
    {NAMED("state"), take_state},
    {NAMED("body_base64"), take_body_base64},
    {NAMED("delay"), take_delay},
    {NAMED("ttl"), take_ttl},
    {NAMED("expires"), take_expires},
    {NAMED("group"), take_group},
    {NAMED("receipt"), take_receipt},
    {NAMED("max_attempts"), take_max_attempts},
    {NAMED("due"), take_due},
    {NAMED("deadline"), check_string},
    {NAMED("died"), take_died},
    {NAMED("reason"), take_reason},
    {NAMED("offset"), check_integer},
};

static bool take_member(struct reader *reader, const struct json_member *member)
{
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (known[i].size == member->name_size && memcmp(known[i].name, member->name, member->name_size) == 0)
            return known[i].take(reader, member);
    return wrong(reader,
                 "%.64s: no such member: there are body, body_base64, id, headers, group, priority, delay, ttl, "
                 "expires, due, max_attempts",
                 member->name);
}

/* Returns whether all members were taken. */
static bool take_members(struct reader *reader)
{
    for (size_t i = 0; i < reader->members.count; i++)
        if (!take_member(reader, &reader->members.all[i]))
            return false;
    return say_type_of_body(reader);
}

/* ---- the object ----------------------------------------------------------------- */

#define ONE_A_LINE "an object takes one line, as jq -c prints it"

static bool parse(struct reader *reader)
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

/* The members of an object of jansson; the caller frees them. False: out of memory. */
static bool list(json_t *object, struct json_members *ret_members)
{
    const char *name;
    json_t *value;
    struct json_members members = {.room = json_object_size(object)};
    members.all = calloc(members.room + 1, sizeof *members.all);
    if (!members.all)
        return false;
    json_object_foreach(object, name, value)
        members.all[members.count++] = (struct json_member){.name = name,
                                                            .name_size = strlen(name),
                                                            .type = json_typeof(value),
                                                            .text = json_string_value(value),
                                                            .size = json_string_length(value),
                                                            .number = json_number_value(value)};
    *ret_members = members;
    return true;
}

/* Read an object of any form, with jansson. */
static bool read_any(struct reader *reader)
{
    reader->members = reader->headers = (struct json_members){0};
    if (!parse(reader))
        return false;
    json_t *const headers = json_object_get(reader->record->root, "headers");
    const bool is_listed = list(reader->record->root, &reader->members) && list(headers, &reader->headers);
    const bool is_good = is_listed ? take_members(reader) : wrong(reader, "%s", cli_reason(-ENOMEM));
    free(reader->members.all);
    free(reader->headers.all);
    return is_good;
}

bool json_is_blank(const char *text, size_t size)
{
    while (size > 0 && strchr(" \t\r\n", text[size - 1]) && text[size - 1])
        size--;
    return size == 0;
}

bool json_to_message_in_place(char *text, size_t size, mq_message *message, struct json_record *ret_record)
{
    struct json_member members[MEMBERS_MOST], headers[HEADERS_MOST];
    struct reader reader = {.message = message,
                            .text = text,
                            .size = size,
                            .members = {.all = members, .room = MEMBERS_MOST},
                            .headers = {.all = headers, .room = HEADERS_MOST},
                            .record = ret_record};
    ret_record->root = NULL;
    ret_record->copy = ret_record->decoded = NULL;
    ret_record->past = (struct json_past){0};
    ret_record->problem[0] = '\0';
    return json_flat_read(text, size, &reader.members, &reader.headers) ? take_members(&reader) : read_any(&reader);
}

bool json_to_message(const char *text, size_t size, mq_message *message, struct json_record *ret_record)
{
    char *const copy = malloc(size + 1);
    if (!copy) {
        *ret_record = (struct json_record){0};
        return wrong(&(struct reader){.record = ret_record}, "%s", cli_reason(-ENOMEM));
    }
    memcpy(copy, text, size);
    const bool is_good = json_to_message_in_place(copy, size, message, ret_record);
    ret_record->copy = copy;
    return is_good;
}

void json_record_release(struct json_record *record)
{
    json_decref(record->root);
    free(record->copy);
    free(record->decoded);
}
