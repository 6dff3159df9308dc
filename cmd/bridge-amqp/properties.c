/* Which headers of mq are which properties of AMQP. */
#include "properties.h"

#include <assert.h>
#include <strings.h>

#include "base/sha256.h"

#define PROPERTY(header_, FLAG_, member_)                                                                              \
    {                                                                                                                  \
        header_, AMQP_BASIC_##FLAG_##_FLAG, offsetof(amqp_basic_properties_t, member_)                                 \
    }

const struct property property_list[] = {
    PROPERTY("Content-Type", CONTENT_TYPE, content_type),
    PROPERTY("Content-Encoding", CONTENT_ENCODING, content_encoding),
    PROPERTY("Correlation-Id", CORRELATION_ID, correlation_id),
    PROPERTY("Reply-To", REPLY_TO, reply_to),
    PROPERTY("Type", TYPE, type),
    PROPERTY("App-Id", APP_ID, app_id),
};
const size_t property_count = sizeof property_list / sizeof *property_list;

size_t property_of(const char *header)
{
    size_t i = 0;
    while (i < property_count && strcasecmp(property_list[i].header, header) != 0)
        i++;
    return i;
}

amqp_bytes_t *property_at(amqp_basic_properties_t *properties, const struct property *property)
{
    return (amqp_bytes_t *)(void *)((char *)properties + property->offset);
}

static_assert(SHA256_TEXT_SIZE <= MQ_ID_SIZE, "a digest is an id");

void property_make_id(amqp_bytes_t message_id, char ret_id[MQ_ID_SIZE])
{
    struct sha256 hash = sha256_begin();
    sha256_add(&hash, message_id.bytes, message_id.len);
    sha256_end(&hash, ret_id);
}
