/* Out: messages published to RabbitMQ, with publisher confirms. */
#ifndef PUBLISH_H
#define PUBLISH_H

#include "bridge/bridge.h"
#include "target.h"

/* Carry messages until the end. Returns the exit status. */
int publish_run(struct bridge *bridge, const char *queue, const struct target *target);

#endif
