/* Out to a stream: an XADD for each message; its reply is the confirmation. */
#ifndef REDIS_OUT_H
#define REDIS_OUT_H

#include "bridge-redis/place.h"
#include "bridge/bridge.h"

int redis_out(struct bridge *bridge, const char *queue, const struct place *place);

#endif
