/* A message of RabbitMQ as one of mq. */
#include "unpack.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/id.h"
#include "base/units.h"
#include "message/content.h"
#include "properties.h"
#include "text/base64.h"
#include "text/moment.h"

#define NAME_SIZE 272 /* of a header: the longest there, with what is put before and behind it */
#define DEPTH_MOST 32 /* tables in tables; what is deeper becomes null */
#define MILLISECOND (CLOCK_SECOND / 1000)

/* ---- values ---------------------------------------------------------------------- */

static bool is_set(const amqp_basic_properties_t *properties, amqp_flags_t flag)
{
    return (properties->_flags & flag) != 0;
}

static char *text_of(amqp_bytes_t bytes)
{
    return bytes.len == 0 || !memchr(bytes.bytes, '\0', bytes.len) ? strndup(bytes.len ? bytes.bytes : "", bytes.len)
                                                                   : NULL;
}

static json_t *json_of(const amqp_field_value_t *field, unsigned depth);

static json_t *json_of_bytes(amqp_bytes_t bytes)
{
    json_t *const text = json_stringn(bytes.len ? bytes.bytes : "", bytes.len); /* NULL: it is not UTF-8 */
    char *const encoded = text ? NULL : malloc(BASE64_SIZE(bytes.len) + 1);
    if (!encoded)
        return text;
    base64_encode(bytes.bytes, bytes.len, encoded);
    json_t *const result = json_stringn(encoded, BASE64_SIZE(bytes.len));
    free(encoded);
    return result;
}

static json_t *json_of_table(const amqp_table_t *table, unsigned depth)
{
    json_t *const object = json_object();
    for (int i = 0; i < table->num_entries; i++) {
        char *name = text_of(table->entries[i].key);
        (void)json_object_set_new(object, name ? name : "", json_of(&table->entries[i].value, depth + 1));
        free(name);
    }
    return object;
}

static json_t *json_of_array(const amqp_array_t *array, unsigned depth)
{
    json_t *const list = json_array();
    for (int i = 0; i < array->num_entries; i++)
        (void)json_array_append_new(list, json_of(&array->entries[i], depth + 1));
    return list;
}

static json_t *json_of_time(uint64_t seconds)
{
    char text[MOMENT_SIZE];
    if (seconds > (uint64_t)INT64_MAX / CLOCK_SECOND)
        return json_null();
    moment_format((int64_t)seconds * CLOCK_SECOND, text);
    return json_string(text);
}

static json_t *json_of_decimal(amqp_decimal_t decimal)
{
    double value = (double)(int32_t)decimal.value;
    for (unsigned i = 0; i < decimal.decimals; i++)
        value /= 10;
    return json_real(value);
}

static json_t *json_of(const amqp_field_value_t *field, unsigned depth)
{
    json_t *value = NULL;
    switch (depth < DEPTH_MOST ? field->kind : AMQP_FIELD_KIND_VOID) {
    case AMQP_FIELD_KIND_BOOLEAN:
        return json_boolean(field->value.boolean);
    case AMQP_FIELD_KIND_I8:
        return json_integer(field->value.i8);
    case AMQP_FIELD_KIND_U8:
        return json_integer(field->value.u8);
    case AMQP_FIELD_KIND_I16:
        return json_integer(field->value.i16);
    case AMQP_FIELD_KIND_U16:
        return json_integer(field->value.u16);
    case AMQP_FIELD_KIND_I32:
        return json_integer(field->value.i32);
    case AMQP_FIELD_KIND_U32:
        return json_integer(field->value.u32);
    case AMQP_FIELD_KIND_I64:
    case AMQP_FIELD_KIND_U64: /* RabbitMQ has none above the other */
        return json_integer(field->value.i64);
    case AMQP_FIELD_KIND_F32:
        value = json_real((double)field->value.f32);
        break;
    case AMQP_FIELD_KIND_F64:
        value = json_real(field->value.f64);
        break;
    case AMQP_FIELD_KIND_DECIMAL:
        return json_of_decimal(field->value.decimal);
    case AMQP_FIELD_KIND_UTF8:
    case AMQP_FIELD_KIND_BYTES:
        value = json_of_bytes(field->value.bytes);
        break;
    case AMQP_FIELD_KIND_TIMESTAMP:
        return json_of_time(field->value.u64);
    case AMQP_FIELD_KIND_TABLE:
        return json_of_table(&field->value.table, depth);
    case AMQP_FIELD_KIND_ARRAY:
        return json_of_array(&field->value.array, depth);
    default:
        break;
    }
    return value ? value : json_null(); /* as a number that is none */
}

/* ---- headers --------------------------------------------------------------------- */

/* A name of ours: other characters become -, a name that mq writes itself gets an X- before it, and one that there is
   already a number behind it. */
static void make_name(const mq_message *message, amqp_bytes_t from, char ret_name[NAME_SIZE])
{
    char name[NAME_SIZE];
    (void)snprintf(name, sizeof name, "%.*s", (int)from.len, from.len ? (const char *)from.bytes : "");
    for (char *at = name; *at; at++)
        if (!strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-", *at))
            *at = '-';
    const bool is_taken = !*name || !content_is_header(name);
    (void)snprintf(ret_name, NAME_SIZE, "%s%.260s", is_taken ? "X-" : "", name);
    const size_t length = strlen(ret_name);
    for (unsigned i = 2; mq_message_header(message, ret_name); i++)
        (void)snprintf(ret_name + length, NAME_SIZE - length, "-%u", i);
}

/* Text as it is if it can be a header; else as a string of JSON, or, if it is not UTF-8, as base64. */
static int set_text(mq_message *message, const char *name, amqp_bytes_t bytes)
{
    char *text = text_of(bytes);
    int error = text ? mq_message_set_header(message, name, text) : -EINVAL;
    free(text);
    if (error != -EINVAL)
        return error;
    json_t *const json = json_of_bytes(bytes);
    text = json ? json_dumps(json, JSON_ENCODE_ANY | JSON_ENSURE_ASCII) : NULL;
    json_decref(json);
    error = text ? mq_message_set_header(message, name, text) : -ENOMEM;
    free(text);
    return error == -EINVAL ? 0 : error;
}

static int set_value(mq_message *message, const char *name, const amqp_field_value_t *field)
{
    if (field->kind == AMQP_FIELD_KIND_UTF8 || field->kind == AMQP_FIELD_KIND_BYTES)
        return set_text(message, name, field->value.bytes);
    json_t *const json = json_of(field, 0);
    const char *plain = json_string_value(json);
    char *text = plain  ? strdup(plain)
                 : json ? json_dumps(json, JSON_ENCODE_ANY | JSON_COMPACT | JSON_ENSURE_ASCII)
                        : NULL;
    json_decref(json);
    const int error = text ? mq_message_set_header(message, name, text) : -ENOMEM;
    free(text);
    return error;
}

static bool is_expires(const amqp_table_entry_t *entry)
{
    return entry->key.len == strlen(PROPERTY_EXPIRES) &&
           memcmp(entry->key.bytes, PROPERTY_EXPIRES, entry->key.len) == 0 && entry->value.kind == AMQP_FIELD_KIND_UTF8;
}

/* Take the moment that a bridge of ours has added. */
static bool take_expires(mq_message *message, const amqp_table_entry_t *entry)
{
    int64_t moment;
    char *text = is_expires(entry) ? text_of(entry->value.value.bytes) : NULL;
    const bool done = text && moment_parse_rfc3339(text, &moment) && mq_message_set_expires(message, moment) == 0;
    free(text);
    return done;
}

static int take_table(mq_message *message, const amqp_table_t *table, bool *ret_expires)
{
    int error = 0;
    for (int i = 0; i < table->num_entries && !error; i++) {
        char name[NAME_SIZE];
        if (take_expires(message, &table->entries[i])) {
            *ret_expires = true;
            continue;
        }
        make_name(message, table->entries[i].key, name);
        error = set_value(message, name, &table->entries[i].value);
    }
    return error;
}

/* ---- properties ------------------------------------------------------------------ */

static int take_properties(mq_message *message, const amqp_basic_properties_t *properties)
{
    int error = 0;
    for (size_t i = 0; i < property_count && !error; i++) {
        const struct property *property = &property_list[i];
        if (is_set(properties, property->flag))
            error = set_text(message, property->header,
                             *property_at((amqp_basic_properties_t *)(uintptr_t)properties, property));
    }
    if (!error && is_set(properties, AMQP_BASIC_USER_ID_FLAG))
        error = set_text(message, "User-Id", properties->user_id);
    if (!error && is_set(properties, AMQP_BASIC_CLUSTER_ID_FLAG))
        error = set_text(message, "Cluster-Id", properties->cluster_id);
    return error;
}

static int take_id(mq_message *message, const amqp_basic_properties_t *properties)
{
    char id[MQ_ID_SIZE];
    const amqp_bytes_t given = properties->message_id;
    if (!is_set(properties, AMQP_BASIC_MESSAGE_ID_FLAG) || given.len == 0) {
        id_make(clock_now(), id);
        return mq_message_set_id(message, id);
    }
    char *text = text_of(given);
    const bool done = text && mq_message_set_id(message, text) == 0;
    free(text);
    if (done)
        return 0;
    property_make_id(given, id);
    const int error = set_text(message, PROPERTY_FOREIGN_ID, given);
    return error ? error : mq_message_set_id(message, id);
}

static void take_facts(mq_message *message, const amqp_basic_properties_t *properties, bool has_expires)
{
    uint64_t milliseconds;
    const uint64_t now = (uint64_t)(clock_now() / CLOCK_SECOND);
    if (is_set(properties, AMQP_BASIC_PRIORITY_FLAG))
        (void)mq_message_set_priority(message, properties->priority > 9 ? 9 : properties->priority);
    if (is_set(properties, AMQP_BASIC_TIMESTAMP_FLAG) && properties->timestamp > 0 && properties->timestamp <= now)
        (void)mq_message_set_sent_at(message, (int64_t)properties->timestamp * CLOCK_SECOND);
    char *text = is_set(properties, AMQP_BASIC_EXPIRATION_FLAG) && !has_expires ? text_of(properties->expiration)
                                                                                : NULL;
    if (text && units_parse_number(text, UINT32_MAX, &milliseconds))
        (void)mq_message_set_ttl(message, milliseconds ? (int64_t)milliseconds * MILLISECOND : 1);
    free(text);
}

int unpack(const amqp_basic_properties_t *properties, amqp_bytes_t key, mq_message *message)
{
    bool has_expires = false;
    int error = take_id(message, properties);
    if (!error)
        error = take_properties(message, properties);
    if (!error && is_set(properties, AMQP_BASIC_HEADERS_FLAG))
        error = take_table(message, &properties->headers, &has_expires);
    if (!error && key.len > 0 && !mq_message_header(message, PROPERTY_KEY))
        error = set_text(message, PROPERTY_KEY, key);
    take_facts(message, properties, has_expires);
    return error;
}
