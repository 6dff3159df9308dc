/*
 * A message on its way to RabbitMQ: its headers as properties, its body, and how much of it has been written.
 *
 *     result = parcel_pack(&target, message, &parcel, bridge);
 *     status = parcel_write(parcel, connection, &written);
 *     parcel_free(parcel);
 */
#ifndef PARCEL_H
#define PARCEL_H

#include <amqp.h>
#include <mq.h>

#include "bridge/bridge.h"
#include "target.h"

struct parcel;

/* Copy a message. BRIDGE_SKIPPED: the protocol cannot hold it. Reasons are kept with bridge_trouble. */
enum bridge_result parcel_pack(struct bridge *bridge, const struct target *target, mq_message *message,
                               size_t frame_most, struct parcel **ret_parcel);

/* Write the next frame. Returns a status of the library. `ret_done`: it was the last. */
int parcel_write(struct parcel *parcel, amqp_connection_state_t connection, bool *ret_done);

/* The bytes that are not yet written, about. */
size_t parcel_left(const struct parcel *parcel);

/* Whether what was returned is this message. */
bool parcel_is(const struct parcel *parcel, amqp_bytes_t key, amqp_bytes_t message_id);

/* Free all but what parcel_is looks at. */
void parcel_empty(struct parcel *parcel);
void parcel_free(struct parcel *parcel);

#endif
