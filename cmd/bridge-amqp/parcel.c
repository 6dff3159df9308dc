/* A message on its way to RabbitMQ. */
#include "parcel.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "cli/cli.h"
#include "link.h"
#include "message/body_error.h"
#include "message/content.h"
#include "properties.h"
#include "text/moment.h"

#define PERSISTENT 2
#define PIECE ((size_t)16 << 10) /* of a body in a frame: what is written at once should not have to wait */
#define MILLISECOND (CLOCK_SECOND / 1000)
#define EXPIRATION_MOST UINT32_MAX /* milliseconds, 49 days: RabbitMQ takes no more */
#define FRAME_REST 64              /* bytes of a frame of properties beside their values, at most */

struct parcel {
    amqp_basic_publish_t method;
    amqp_basic_properties_t properties;
    char expiration[24], expires[MOMENT_SIZE];
    char *memory;            /* the entries of the table, and the text that they and the properties point into */
    char *text_begin, *text; /* where more of it goes */
    char *body;
    size_t size, written;
    enum { WRITE_METHOD, WRITE_PROPERTIES, WRITE_BODY } next;
};

static enum bridge_result too_long(struct bridge *bridge, const char *what)
{
    return bridge_trouble(bridge, BRIDGE_SKIPPED, STATUS_DATA, "too long for AMQP, over %d bytes: %.64s", PROPERTY_MOST,
                          what);
}

static enum bridge_result cannot_read(struct bridge *bridge, int error, const mq_message *message)
{
    if (body_error_is_of_message(error, message))
        return bridge_trouble(bridge, BRIDGE_SKIPPED, STATUS_DATA, "%s", body_error_reason(error));
    return bridge_trouble(bridge, BRIDGE_LOST, STATUS_TRY_LATER, "cannot read a message here: %s", cli_reason(error));
}

/* ---- packing --------------------------------------------------------------------- */

static amqp_bytes_t copy(struct parcel *parcel, const char *text)
{
    const amqp_bytes_t bytes = {.len = strlen(text), .bytes = parcel->text};
    parcel->text = (char *)memcpy(parcel->text, text, bytes.len + 1) + bytes.len + 1;
    return bytes;
}

/* Memory for the headers and everything else that is text. */
static bool make_room(struct parcel *parcel, const struct target *target, const mq_message *message)
{
    const char *name, *value;
    size_t count = 1, text = MQ_ID_SIZE + strlen(target->exchange) + 2 * (PROPERTY_MOST + 1);
    for (size_t i = 0; mq_message_header_at(message, i, &name, &value) == 1; i++, count++)
        text += strlen(name) + strlen(value) + 2;
    parcel->memory = malloc(count * sizeof(amqp_table_entry_t) + text);
    if (!parcel->memory)
        return false;
    parcel->properties.headers.entries = (amqp_table_entry_t *)(void *)parcel->memory;
    parcel->text = parcel->text_begin = parcel->memory + count * sizeof(amqp_table_entry_t);
    return true;
}

static void add_to_table(struct parcel *parcel, amqp_bytes_t name, amqp_bytes_t value)
{
    amqp_table_t *const table = &parcel->properties.headers;
    table->entries[table->num_entries++] = (amqp_table_entry_t){
        .key = name, .value = {.kind = AMQP_FIELD_KIND_UTF8, .value.bytes = value}};
    parcel->properties._flags |= AMQP_BASIC_HEADERS_FLAG;
}

/* The message-id that this message came with, if its id here was made of that one. */
static const char *foreign_id(const mq_message *message)
{
    char id[MQ_ID_SIZE];
    const char *found = mq_message_header(message, PROPERTY_FOREIGN_ID);
    if (!found)
        return NULL;
    property_make_id(amqp_cstring_bytes(found), id);
    return strcmp(id, mq_message_id(message)) == 0 ? found : NULL;
}

static enum bridge_result pack_headers(struct bridge *bridge, struct parcel *parcel, const mq_message *message,
                                       bool has_own_key)
{
    const char *name, *value, *id = foreign_id(message);
    for (size_t i = 0; mq_message_header_at(message, i, &name, &value) == 1; i++) {
        /* Of a name that is there twice the first counts. */
        if (!content_is_header(name) || mq_message_header(message, name) != value)
            continue;
        const size_t which = property_of(name);
        const bool is_id = id && strcasecmp(name, PROPERTY_FOREIGN_ID) == 0;
        if ((which < property_count || is_id) && strlen(value) > PROPERTY_MOST)
            return too_long(bridge, name);
        if (strlen(name) > PROPERTY_MOST)
            return too_long(bridge, "the name of a header");
        if (is_id || (has_own_key && strcasecmp(name, PROPERTY_KEY) == 0))
            continue;
        if (which < property_count) {
            parcel->properties._flags |= property_list[which].flag;
            *property_at(&parcel->properties, &property_list[which]) = copy(parcel, value);
        } else {
            const amqp_bytes_t copied = copy(parcel, name);
            add_to_table(parcel, copied, copy(parcel, value));
        }
    }
    parcel->properties._flags |= AMQP_BASIC_MESSAGE_ID_FLAG;
    parcel->properties.message_id = copy(parcel, id ? id : mq_message_id(message));
    return BRIDGE_OK;
}

/* What mq itself knows of a message. */
static void pack_facts(struct parcel *parcel, const mq_message *message)
{
    amqp_basic_properties_t *const properties = &parcel->properties;
    const int64_t expires = mq_message_expires_at(message);
    properties->_flags |= AMQP_BASIC_DELIVERY_MODE_FLAG | AMQP_BASIC_PRIORITY_FLAG | AMQP_BASIC_TIMESTAMP_FLAG;
    properties->delivery_mode = PERSISTENT;
    properties->priority = (uint8_t)mq_message_priority(message);
    properties->timestamp = (uint64_t)(mq_message_sent_at(message) / CLOCK_SECOND);
    if (expires == 0)
        return;
    const int64_t left = (expires - clock_now()) / MILLISECOND + 1;
    if (left <= EXPIRATION_MOST) {
        (void)snprintf(parcel->expiration, sizeof parcel->expiration, "%jd", (intmax_t)(left > 0 ? left : 1));
        properties->_flags |= AMQP_BASIC_EXPIRATION_FLAG;
        properties->expiration = amqp_cstring_bytes(parcel->expiration);
    }
    moment_format(expires, parcel->expires);
    add_to_table(parcel, amqp_cstring_bytes(PROPERTY_EXPIRES), amqp_cstring_bytes(parcel->expires));
}

static enum bridge_result pack_key(struct bridge *bridge, const struct target *target, struct parcel *parcel,
                                   const mq_message *message)
{
    const char *own = mq_message_header(message, PROPERTY_KEY);
    const char *key = target->queue ? target->queue : target->key ? target->key : own ? own : "";
    if (strlen(key) > PROPERTY_MOST)
        return too_long(bridge, PROPERTY_KEY);
    parcel->method.routing_key = copy(parcel, key);
    parcel->method.exchange = copy(parcel, target->exchange);
    parcel->method.mandatory = 1;
    return BRIDGE_OK;
}

/* All properties go into one frame. */
static enum bridge_result check_size(struct bridge *bridge, const struct parcel *parcel, size_t frame_most)
{
    const size_t entries = (size_t)parcel->properties.headers.num_entries;
    const size_t size = FRAME_REST + (size_t)(parcel->text - parcel->text_begin) + 5 * entries +
                        sizeof PROPERTY_EXPIRES + sizeof parcel->expires + sizeof parcel->expiration;
    if (size <= frame_most)
        return BRIDGE_OK;
    return bridge_trouble(bridge, BRIDGE_SKIPPED, STATUS_DATA,
                          "too long for AMQP, over %zu bytes: the headers together", frame_most);
}

static enum bridge_result pack_body(struct bridge *bridge, struct parcel *parcel, mq_message *message)
{
    const int error = content_copy(message, &parcel->body);
    if (error)
        return cannot_read(bridge, error, message);
    parcel->size = (size_t)mq_message_size(message);
    return BRIDGE_OK;
}

enum bridge_result parcel_pack(struct bridge *bridge, const struct target *target, mq_message *message,
                               size_t frame_most, struct parcel **ret_parcel)
{
    struct parcel *const parcel = calloc(1, sizeof *parcel);
    if (!parcel || !make_room(parcel, target, message)) {
        free(parcel);
        return bridge_trouble(bridge, BRIDGE_LOST, STATUS_TRY_LATER, "%s", cli_reason(-ENOMEM));
    }
    enum bridge_result result = pack_key(bridge, target, parcel, message);
    if (result == BRIDGE_OK)
        result = pack_headers(bridge, parcel, message, !target->queue && !target->key);
    if (result == BRIDGE_OK) {
        pack_facts(parcel, message);
        result = check_size(bridge, parcel, frame_most);
    }
    if (result == BRIDGE_OK)
        result = pack_body(bridge, parcel, message);
    if (result == BRIDGE_OK)
        *ret_parcel = parcel;
    else
        parcel_free(parcel);
    return result;
}

/* ---- writing --------------------------------------------------------------------- */

int parcel_write(struct parcel *parcel, amqp_connection_state_t connection, bool *ret_done)
{
    amqp_frame_t frame = {.channel = LINK_CHANNEL};
    const size_t left = parcel->size - parcel->written, piece = left < PIECE ? left : PIECE;
    switch (parcel->next) {
    case WRITE_METHOD:
        frame.frame_type = AMQP_FRAME_METHOD;
        frame.payload.method = (amqp_method_t){AMQP_BASIC_PUBLISH_METHOD, &parcel->method};
        parcel->next = WRITE_PROPERTIES;
        break;
    case WRITE_PROPERTIES:
        frame.frame_type = AMQP_FRAME_HEADER;
        frame.payload.properties.class_id = AMQP_BASIC_CLASS;
        frame.payload.properties.body_size = parcel->size;
        frame.payload.properties.decoded = &parcel->properties;
        parcel->next = WRITE_BODY;
        *ret_done = parcel->size == 0;
        break;
    case WRITE_BODY:
        frame.frame_type = AMQP_FRAME_BODY;
        frame.payload.body_fragment = (amqp_bytes_t){piece, parcel->body + parcel->written};
        parcel->written += piece;
        *ret_done = parcel->written == parcel->size;
        break;
    }
    return amqp_send_frame(connection, &frame);
}

size_t parcel_left(const struct parcel *parcel)
{
    return parcel->size - parcel->written + FRAME_REST;
}

static bool is_same(amqp_bytes_t one, amqp_bytes_t other)
{
    return one.len == other.len && (one.len == 0 || memcmp(one.bytes, other.bytes, one.len) == 0);
}

bool parcel_is(const struct parcel *parcel, amqp_bytes_t key, amqp_bytes_t message_id)
{
    return is_same(parcel->method.routing_key, key) && is_same(parcel->properties.message_id, message_id);
}

void parcel_empty(struct parcel *parcel)
{
    free(parcel->body);
    parcel->body = NULL;
}

void parcel_free(struct parcel *parcel)
{
    if (!parcel)
        return;
    parcel_empty(parcel);
    free(parcel->memory);
    free(parcel);
}
