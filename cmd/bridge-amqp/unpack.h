/* A message of RabbitMQ as one of mq: what its properties and headers become. */
#ifndef UNPACK_H
#define UNPACK_H

#include <amqp.h>
#include <amqp_framing.h>
#include <mq.h>

/*
 * Give a new message the id, headers, priority, expiry and time of these properties. `key` is its routing key, or empty.
 * An id is made if there is none. -E2BIG: the headers take more than 64 KiB. -ENOMEM.
 */
int unpack(const amqp_basic_properties_t *properties, amqp_bytes_t key, mq_message *message);

#endif
