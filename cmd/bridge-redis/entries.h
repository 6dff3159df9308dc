/*
 * Entries of a stream, as XREADGROUP and XAUTOCLAIM answer with them, as messages.
 *
 *     struct entries entries;
 *     entries_begin(&entries, bridge, &place);
 *     result = entries_take(&entries, list, items);
 */
#ifndef REDIS_ENTRIES_H
#define REDIS_ENTRIES_H

#include <hiredis/hiredis.h>

#include "bridge-redis/place.h"
#include "bridge/incoming.h"

#define ENTRY_ID_SIZE 48 /* two numbers of 64 bits, a hyphen and a NUL */
#define ENTRIES_PREFIX_SIZE 24

/* What was read of a list: no message can be made of an entry that is removed, or that is refused. */
struct entries {
    struct bridge *bridge;
    const struct place *place;
    char prefix[ENTRIES_PREFIX_SIZE]; /* of the ids of messages that came without one: of this stream alone */
    char last[ENTRY_ID_SIZE];         /* the id of the last entry */
    const char **done;                /* the ids of those that no message was made of; they live as long as the list */
    size_t done_count, done_room;
    uint64_t removed; /* how many of these the server no longer has */
};

void entries_begin(struct entries *entries, struct bridge *bridge, const struct place *place);
void entries_release(struct entries *entries);

/* Add the messages of a list to `items`. */
enum bridge_result entries_take(struct entries *entries, const redisReply *list, struct incoming_items *items);

#endif
