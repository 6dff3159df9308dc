/* Messages as records of Kafka. */
#include "bridge-kafka/record.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/id.h"
#include "base/sha256.h"
#include "base/units.h"
#include "base/utf8.h"
#include "message/content.h"
#include "text/base64.h"
#include "text/moment.h"

/* Beside the headers of the message. No sender of mq can set one that begins like these. */
#define ID "Mq-Id"
#define PRIORITY "Mq-Priority"
#define EXPIRES "Mq-Expires"

#define LETTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-"

/* ---- out ------------------------------------------------------------------------- */

static bool add(rd_kafka_headers_t *headers, const char *name, const char *value)
{
    return rd_kafka_header_add(headers, name, -1, value, -1) == RD_KAFKA_RESP_ERR_NO_ERROR;
}

/* Whether a header is one that its sender gave it; if a name occurs twice, the first one counts. */
static bool is_senders(const mq_message *message, const char *name, const char *value)
{
    return content_is_header(name) && mq_message_header(message, name) == value;
}

rd_kafka_headers_t *record_headers(const mq_message *message)
{
    rd_kafka_headers_t *headers = rd_kafka_headers_new(8);
    const int priority = mq_message_priority(message);
    const int64_t expires = mq_message_expires_at(message);
    const char *name, *value;
    char text[MOMENT_SIZE];
    bool done = headers && add(headers, ID, mq_message_id(message));
    if (done && priority != MQ_PRIORITY_DEFAULT) {
        (void)snprintf(text, sizeof text, "%d", priority);
        done = add(headers, PRIORITY, text);
    }
    if (done && expires) {
        moment_format(expires, text);
        done = add(headers, EXPIRES, text);
    }
    for (size_t i = 0; done && mq_message_header_at(message, i, &name, &value) == 1; i++)
        if (is_senders(message, name, value))
            done = add(headers, name, value);
    if (done)
        return headers;
    if (headers)
        rd_kafka_headers_destroy(headers);
    return NULL;
}

const char *record_key(const mq_message *message)
{
    const char *key = mq_message_header(message, "Routing-Key");
    return key ? key : mq_message_header(message, "Group");
}

/* ---- in -------------------------------------------------------------------------- */

void record_origin(const char *cluster, const char *topic, char ret_origin[RECORD_ORIGIN_SIZE])
{
    char digest[SHA256_TEXT_SIZE];
    struct sha256 hash = sha256_begin();
    sha256_add(&hash, cluster ? cluster : "", cluster ? strlen(cluster) + 1 : 1);
    sha256_add(&hash, topic, strlen(topic));
    sha256_end(&hash, digest);
    memcpy(ret_origin, digest, RECORD_ORIGIN_SIZE - 1);
    ret_origin[RECORD_ORIGIN_SIZE - 1] = '\0';
}

/* A topic that is made anew begins at offset 0 again: what is there then has another time. */
static int set_id_of_place(const rd_kafka_message_t *record, const char *origin, mq_message *message)
{
    char id[MQ_ID_SIZE];
    rd_kafka_timestamp_type_t type;
    const int64_t time = rd_kafka_message_timestamp(record, &type);
    (void)snprintf(id, sizeof id, "%s-%" PRId32 "-%" PRId64 "-%" PRIx64, origin, record->partition, record->offset,
                   (uint64_t)time);
    return mq_message_set_id(message, id);
}

/* Whether a header of mq can have this value as it is: text of one line, whose first blanks would be lost. */
static bool is_line(const char *value, size_t size)
{
    uint32_t code;
    if (size > 0 && *value == ' ')
        return false;
    for (size_t at = 0, length; at < size; at += length) {
        length = utf8_decode((const unsigned char *)value + at, size - at, &code);
        if (length == 0 || utf8_is_control(code))
            return false;
    }
    return true;
}

/* Set it under `name`, or if that is taken under the first of name-2, name-3, … that is not. `name` has room for that. */
static int set_free(mq_message *message, char *name, const char *value)
{
    char *end = name + strlen(name);
    for (unsigned i = 2; mq_message_header(message, name); i++)
        (void)sprintf(end, "-%u", i);
    return mq_message_set_header(message, name, value);
}

/* Give the message a header for what a record has: the name is mapped to one that mq can hold, and so is the value. */
static int set_mapped(mq_message *message, const char *prefix, const char *name, const void *value, size_t size)
{
    const bool as_is = is_line(value, size);
    char *mapped = malloc(strlen(prefix) + strlen(name) + sizeof "Header-Base64-4294967295");
    char *text = malloc(as_is ? size + 1 : BASE64_SIZE(size) + 1);
    int error = -ENOMEM;
    if (mapped && text) {
        (void)sprintf(mapped, "%s%s%s", prefix, *name ? name : "Header", as_is ? "" : "-Base64");
        for (char *at = mapped; *(at += strspn(at, LETTERS)); at++)
            *at = '-';
        if (as_is)
            memcpy(text, value, size);
        else
            base64_encode(value, size, text);
        text[as_is ? size : BASE64_SIZE(size)] = '\0';
        error = set_free(message, mapped, text);
    }
    free(mapped);
    free(text);
    return error == -EPERM && !*prefix ? set_mapped(message, "Kafka-", name, value, size) : error;
}

/* Whether it is a property that a message from mq had, and has again. */
static bool set_property(mq_message *message, const char *name, const char *value, size_t size, bool *ret_has_id)
{
    char text[MQ_ID_SIZE];
    int64_t expires;
    uint64_t priority;
    if (size >= sizeof text || memchr(value, '\0', size))
        return false;
    memcpy(text, value, size);
    text[size] = '\0';
    if (strcmp(name, ID) == 0 && !*ret_has_id)
        return *ret_has_id = mq_message_set_id(message, text) == 0;
    if (strcmp(name, PRIORITY) == 0)
        return units_parse_number(text, 9, &priority) && mq_message_set_priority(message, (int)priority) == 0;
    return strcmp(name, EXPIRES) == 0 && moment_parse_rfc3339(text, &expires) &&
           mq_message_set_expires(message, expires) == 0;
}

static int take_headers(const rd_kafka_headers_t *headers, mq_message *message, bool *ret_has_id)
{
    const char *name;
    const void *value;
    size_t size;
    int error = 0;
    for (size_t i = 0; !error && rd_kafka_header_get_all(headers, i, &name, &value, &size) == 0; i++) {
        value = value ? value : "";
        if (!set_property(message, name, value, size, ret_has_id))
            error = set_mapped(message, "", name, value, size);
    }
    return error;
}

/* A key from elsewhere keeps messages in order, as a group does. */
static int take_key(const rd_kafka_message_t *record, mq_message *message)
{
    const char *ours = record_key(message);
    if (!record->key || (ours && strlen(ours) == record->key_len && memcmp(ours, record->key, record->key_len) == 0))
        return 0;
    const bool is_group = !mq_message_header(message, "Group") && record->key_len > 0;
    return set_mapped(message, is_group ? "" : "Kafka-", is_group ? "Group" : "Key", record->key, record->key_len);
}

int record_to_message(const rd_kafka_message_t *record, const char *origin, mq_message *message)
{
    rd_kafka_headers_t *headers;
    bool has_id = false;
    int error = 0;
    if (rd_kafka_message_headers(record, &headers) == RD_KAFKA_RESP_ERR_NO_ERROR)
        error = take_headers(headers, message, &has_id);
    if (!error)
        error = take_key(record, message);
    return error || has_id ? error : set_id_of_place(record, origin, message);
}
