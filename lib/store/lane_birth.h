/*
 * The birth of a lane: first its directory in tmp/, then its token in inflight/, then its name.
 *
 *     struct message_name token = …;                              a position, an id, a priority
 *     born = lane_birth_make(&place, key, &token, &birth);        1; 0: another lane has the name
 *     … put the first message into lanes/KEY/q/, and move the token birth.bucket/birth.token on …
 *     close(birth.bucket);
 *
 * If the process dies on the way, the token's deadline passes, and whoever comes by does the rest (lane.h). Errors are
 * negative errno values.
 */
#ifndef MQ_LANE_BIRTH_H
#define MQ_LANE_BIRTH_H

#include "format/lane_name.h"

/* The queue that the lane is made in. */
struct lane_place {
    int dir, tmp;
    unsigned sharing;
    int64_t now;
};

struct lane_birth {
    char lane[NAME_LANE_SIZE];
    int bucket; /* of the token */
    char token[NAME_SIZE];
    int64_t deadline; /* of the token: to be announced on the page */
};

/* How the name of a token says that its head was settled. It is a claim with a short lease from then on. A claim is settled
   at most once, so what follows from its mark is as fresh as the mark was. */
void lane_birth_note_end(struct message_name *token, unsigned how, int64_t now);
#define LANE_DONE 1u

/* When the head of a settled token was settled, which every process that comes by knows. */
int64_t lane_birth_settled_at(const struct message_name *token);

/* Make a token of the lane birth->lane: one more name of `gen` in tmp/, or if that is NULL a file of its own. */
int lane_birth_make_token(const struct lane_place *place, const struct message_name *like, const char *gen,
                          struct lane_birth *birth);

int lane_birth_make(const struct lane_place *place, const char *key, const struct message_name *like,
                    struct lane_birth *ret_birth);

#endif
