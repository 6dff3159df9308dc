/*
 * What a handle knows of the lanes that it has looked into: the next messages of a lane's first bucket, so that a large lane
 * is not listed for every message (lane_first.c), which lanes were empty not long ago, and the notes of those that rested
 * (lane_rest.c).
 *
 *     kept = lane_kept_of(&queue->lane);                       NULL: no memory
 *     slot = lane_kept_slot(kept, key);                        what is known of that lane, or of another one
 *     since = lane_kept_note_empty(kept, key, now);            how long ago it was empty, too
 *
 * Lanes share slots, so what is kept can be lost at any time.
 */
#ifndef MQ_LANE_KEPT_H
#define MQ_LANE_KEPT_H

#include "base/clock.h"
#include "format/lane_name.h"
#include "store/bucket.h"

#define LANE_KEPT_SLOTS 512     /* lanes whose messages are kept */
#define LANE_KEPT_MOST 64       /* messages of each */
#define LANE_KEPT_EMPTY 16384   /* lanes that were empty */
#define LANE_KEPT_MEMORIES 4096 /* lanes that rested; most of it is never touched */

struct lane_slot {
    char key[LANE_KEY_SIZE];
    char bucket[NAME_BUCKET_SIZE];
    unsigned openings; /* of the handle */
    struct listing files;
    size_t at; /* those before it are used up */
};

/* Of a lane that this process has let rest. */
struct lane_memory {
    char key[LANE_KEY_SIZE];   /* empty: none */
    bool rests;                /* when this process saw it last */
    bool was_empty;            /* the last time that this process was done with a head of it */
    char lane[NAME_LANE_SIZE]; /* the generation that its last note is of; empty: none */
    char note[NAME_SIZE];      /* that note; another one may have taken its place */
};

struct lane_kept {
    struct listing files, buckets; /* of the look that is going on */
    struct lane_slot slots[LANE_KEPT_SLOTS];
    struct {
        uint32_t tag;
        uint32_t at; /* milliseconds, which may wrap */
    } empty[LANE_KEPT_EMPTY];
    unsigned empties, credit; /* see lane_kept_may_rest */
    bool has_memories;        /* else none of them was touched */
    struct lane_memory memories[LANE_KEPT_MEMORIES];
};

struct lane_kept *lane_kept_of(struct lane_kept **kept);
struct lane_slot *lane_kept_slot(struct lane_kept *kept, const char *key);

/* What is known of a lane that rested: NULL if nothing is; or room for it, which is empty unless it was known. */
struct lane_memory *lane_kept_memory(struct lane_kept *kept, const char *key);
struct lane_memory *lane_kept_remember(struct lane_kept *kept, const char *key);
/* How long ago, in microseconds, the lane was noted before this; INT64_MAX: not within LANE_KEPT_RECENT. */
#define LANE_KEPT_RECENT (20 * CLOCK_SECOND)
int64_t lane_kept_note_empty(struct lane_kept *kept, const char *key, int64_t now);

/* Whether a lane is to rest that was empty so long ago. If it was not empty before, as far as is known, it may be one of
   those that get one message and no other. So it rests if the handle has been used for a while, and as long as not too many
   of these have come to nothing. */
bool lane_kept_may_rest(struct lane_kept *kept, int64_t since);
void lane_kept_free(struct lane_kept *kept);

#endif
