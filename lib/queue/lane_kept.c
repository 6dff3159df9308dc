/* What a handle knows of lanes. */
#include "queue/lane_kept.h"

#include <stdlib.h>
#include <string.h>

/* A key is made from a digest, so any bytes of it will do. */
static uint32_t hash(const char *key)
{
    uint64_t word;
    memcpy(&word, key, sizeof word);
    return (uint32_t)(word * 0x9e3779b97f4a7c15u >> 32);
}

struct lane_kept *lane_kept_of(struct lane_kept **kept)
{
    if (!*kept)
        *kept = calloc(1, sizeof **kept);
    return *kept;
}

struct lane_slot *lane_kept_slot(struct lane_kept *kept, const char *key)
{
    return &kept->slots[hash(key) % LANE_KEPT_SLOTS];
}

/* Two lanes that share a place may both be remembered, in neighbouring ones. */
struct lane_memory *lane_kept_memory(struct lane_kept *kept, const char *key)
{
    if (!kept || !kept->has_memories)
        return NULL;
    const size_t at = hash(key) % LANE_KEPT_MEMORIES;
    for (size_t i = 0; i < 2; i++)
        if (strncmp(kept->memories[at ^ i].key, key, NAME_LANE_KEY) == 0)
            return &kept->memories[at ^ i];
    return NULL;
}

struct lane_memory *lane_kept_remember(struct lane_kept *kept, const char *key)
{
    struct lane_memory *memory = lane_kept_memory(kept, key);
    if (memory)
        return memory;
    const size_t at = hash(key) % LANE_KEPT_MEMORIES;
    kept->has_memories = true;
    memory = &kept->memories[kept->memories[at].key[0] ? at ^ 1 : at];
    memory->rests = memory->was_empty = false;
    memory->lane[0] = memory->note[0] = '\0';
    memcpy(memory->key, key, NAME_LANE_KEY);
    return memory;
}

int64_t lane_kept_note_empty(struct lane_kept *kept, const char *key, int64_t now)
{
    const uint32_t tag = hash(key), at = (uint32_t)(now / (CLOCK_SECOND / 1000));
    const size_t i = tag % LANE_KEPT_EMPTY;
    const bool again = kept->empty[i].tag == tag;
    const int64_t since = (uint32_t)(at - kept->empty[i].at) * (CLOCK_SECOND / 1000);
    kept->empty[i].tag = tag;
    kept->empty[i].at = at;
    return again && since < LANE_KEPT_RECENT ? since : INT64_MAX;
}

/* Resting costs a lane of a single message about as much as its birth. */
#define WHILE 64
#define CREDIT 1024
#define CREDIT_EACH 4

bool lane_kept_may_rest(struct lane_kept *kept, int64_t since)
{
    if (kept->empties < WHILE && ++kept->empties == WHILE)
        kept->credit = CREDIT;
    if (since != INT64_MAX) {
        kept->credit += kept->credit < CREDIT ? CREDIT_EACH : 0;
        return true;
    }
    if (kept->credit == 0)
        return false;
    kept->credit--;
    return true;
}

void lane_kept_free(struct lane_kept *kept)
{
    if (!kept)
        return;
    listing_free(&kept->files);
    listing_free(&kept->buckets);
    for (size_t i = 0; i < LANE_KEPT_SLOTS; i++)
        listing_free(&kept->slots[i].files);
    free(kept);
}
