/*
 * Entries that were removed from a stream, by its MAXLEN or an XDEL, before this bridge had carried them.
 *
 *     struct removed removed = {.bridge = &bridge};
 *     removed_look(&removed, &place, reply, is_stream);
 *     removed_tell(&removed, count);
 */
#ifndef REDIS_REMOVED_H
#define REDIS_REMOVED_H

#include <hiredis/hiredis.h>

#include "bridge-redis/place.h"
#include "bridge/bridge.h"

struct removed {
    struct bridge *bridge;
    uint64_t gone; /* from the stream since it was made; of the last XINFO STREAM */
    uint64_t told; /* how many of these were told */
};

/* An answer to XINFO STREAM, and then one to XINFO GROUPS: whether entries are gone that the group has not come to. */
void removed_look(struct removed *removed, const struct place *place, const redisReply *reply, bool is_stream);

/* So many entries are gone. */
void removed_tell(const struct removed *removed, uint64_t count);

#endif
