/* In: messages consumed from RabbitMQ, with manual acks. */
#ifndef CONSUME_H
#define CONSUME_H

#include "bridge/bridge.h"
#include "target.h"

/* Carry messages until the end. Returns the exit status. */
int consume_run(struct bridge *bridge, const char *queue, const struct target *target);

#endif
