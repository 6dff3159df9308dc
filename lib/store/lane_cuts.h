/*
 * Cuts: messages that are taken out of a lane, one by one, while others of their file stay. Whoever takes one out need not
 * have the lane's token, which a consumer may hold.
 *
 *     lanes/KEY/cut.G                 what gen.G is called from the first cut on: whoever claims looks for cuts then
 *     lanes/KEY/cuts/POSITION.N       a cut: a symbolic link that is never followed. It says RANDOM, which names its draft, and +
 *                                     if the message is counted until its claim ends
 *     lanes/KEY/cuts/out-RANDOM       the draft: one more name of the message's file
 *     lanes/KEY/cuts/void-RANDOM      the draft of a cut that came too late
 *
 * One rename or unlink of the draft decides. Whoever takes the message out moves or removes it; a receiver that has claimed
 * the message makes it void. A draft that is neither there nor void was taken. If the draft of the cut N is void, the next
 * one of the message is N + 1. Cuts go with their file. tests/model/lane_cuts.pml has the proof.
 *
 * Errors are negative errno values.
 */
#ifndef MQ_LANE_CUTS_H
#define MQ_LANE_CUTS_H

#include <stdbool.h>

#include "format/lane_name.h"

/* The directory of a lane's cuts; the second call is for a directory in which messages of the lane lie. -ENOENT: there are
   none. */
int lane_cuts_open(int queue_dir, const char *key);
int lane_cuts_open_beside(int dir);

/* The cuts of the lane that a walk over all lanes has come to. Those of each lane are opened once. */
struct lane_cuts_walk {
    char key[LANE_KEY_SIZE]; /* "" at first */
    int cuts;                /* -1 at first; negative: the lane has none */
};

/* lane_cuts_open for the lane that the walk is in. The result belongs to the walk. */
int lane_cuts_come_to(struct lane_cuts_walk *walk, int queue_dir, const char *key);
void lane_cuts_leave(struct lane_cuts_walk *walk);

/* Whether the message at this position was taken out: 0, or one of these. */
#define LANE_CUT_COUNTED 1 /* it is counted no more */
#define LANE_CUT_LATE 2    /* it was in flight, and whoever passes over it counts it out */
int lane_cuts_is_out(int cuts, uint64_t position);

/* The same, after its open cuts were made void. The caller has settled or claimed it. */
int lane_cuts_end(int cuts, uint64_t position);

/* How many of these messages were taken out, and are counted no more. 0 for cuts < 0. */
uint32_t lane_cuts_count(int cuts, uint64_t position, uint32_t count);

/* Make a cut for the draft out-RANDOM. 1 made; 0 the message was taken out already. -EBUSY: too many were void. */
int lane_cuts_make(int cuts, uint64_t position, uint64_t random, bool is_late);

/* Make a draft void. 1, or 0: it is so already, or was taken. */
int lane_cuts_void(int cuts, uint64_t random);

/* These messages are settled, and their file is gone: remove their cuts. */
void lane_cuts_clear(int cuts, uint64_t position, uint32_t count);

/* Remove all cuts of the lane whose directory is `lane`, which has no message any more. */
void lane_cuts_remove(int lane);

#endif
