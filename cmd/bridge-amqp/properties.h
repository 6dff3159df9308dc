/* Which headers of mq are which properties of AMQP, in both directions; the others are in its table of headers. */
#ifndef PROPERTIES_H
#define PROPERTIES_H

#include <amqp.h>
#include <amqp_framing.h>
#include <mq.h>
#include <stdbool.h>
#include <stddef.h>

#define PROPERTY_MOST 255 /* bytes of a property, of a routing key, and of the name of a header */

struct property {
    const char *header;
    amqp_flags_t flag;
    size_t offset; /* of its amqp_bytes_t in the properties */
};

extern const struct property property_list[];
extern const size_t property_count;

/* The property of this header, as an index. property_count: it has none. */
size_t property_of(const char *header);

amqp_bytes_t *property_at(amqp_basic_properties_t *properties, const struct property *property);

/* Headers that a bridge adds, or takes for its own: */
#define PROPERTY_KEY "Routing-Key"
#define PROPERTY_EXPIRES "Mq-Expires"    /* in the table: the moment, which expiration tells only from there on */
#define PROPERTY_FOREIGN_ID "Message-Id" /* here: the property, if it cannot be an id here */

/* The id of a message whose message-id cannot be one here. */
void property_make_id(amqp_bytes_t message_id, char ret_id[MQ_ID_SIZE]);

#endif
