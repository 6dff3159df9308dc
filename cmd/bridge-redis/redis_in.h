/* In from a group of a stream: XREADGROUP, and an XACK for what is safe here. */
#ifndef REDIS_IN_H
#define REDIS_IN_H

#include "bridge-redis/place.h"
#include "bridge/bridge.h"

int redis_in(struct bridge *bridge, const char *queue, const struct place *place);

#endif
