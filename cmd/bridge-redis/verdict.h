/* What an error of the server means for the connection. */
#ifndef REDIS_VERDICT_H
#define REDIS_VERDICT_H

#include "bridge-redis/place.h"
#include "bridge/bridge.h"

/* BRIDGE_REFUSED: it is about the command, such as a body that is too large. The words are kept as trouble. */
enum bridge_result verdict(struct bridge *bridge, const struct place *place, const char *error);

#endif
