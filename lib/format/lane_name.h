/*
 * The names of lanes, and of what lies in them (lib/lane). Nothing here does I/O.
 *
 *     lanes/KEY/gen.G                 which generation of the lane this is
 *     lanes/KEY/cut.G                 the same, after messages were taken out of the lane (lane_cuts.h)
 *     lanes/KEY/cuts/POSITION.N       a message that was, and in that directory drafts of such
 *     lanes/KEY/rest.TOKEN            the name of its token, if that rests; it may be of long ago
 *     lanes/KEY/q/FILE                its messages; FILE is POSITION.ID.FIELDS, as in ready/
 *     lanes/KEY/q/BUCKET/FILE         and BUCKET is the moment of its position, with the low 20 bits zero; of an offset in a
 *                                     log it is all but the last three digits
 *     tmp/lane-KEYG                   a lane that is being made
 *
 * KEY is made from the group's key, so that it can be any text; G is random. A token is a file with the name of a message
 * in ready/, delayed/ or inflight/, whose field g tells KEY and G. It says which message of the lane is the head, and in
 * which state that is; its POSITION is the lane's place among the lanes.
 */
#ifndef MQ_LANE_NAME_H
#define MQ_LANE_NAME_H

#include "format/name.h"

#define LANE_KEY_SIZE (NAME_LANE_KEY + 1)
#define LANE_GEN_SIZE (sizeof "gen." + NAME_LANE_GEN)
#define LANE_NEW_SIZE (sizeof "lane-" + NAME_LANE_SIZE)

/* The lane of a group. Two groups that share one, which is as likely as guessing 96 bits, are in order with each other. */
void lane_name_key(const char *group, char ret_key[LANE_KEY_SIZE]);
bool lane_name_is_key(const char *text);

/* A new generation of a lane, and the key of a generation. */
void lane_name_make(const char *key, uint64_t random, char ret_lane[NAME_LANE_SIZE]);
void lane_name_key_of(const char *lane, char ret_key[LANE_KEY_SIZE]);

void lane_name_format_gen(const char *lane, char text[LANE_GEN_SIZE]);
void lane_name_format_cut_gen(const char *lane, char text[LANE_GEN_SIZE]);

/* Either of the two. */
bool lane_name_parse_gen(const char *key, const char *text, char ret_lane[NAME_LANE_SIZE]);
void lane_name_format_new(const char *lane, char text[LANE_NEW_SIZE]);
bool lane_name_is_new(const char *text);

/* The note of a lane at rest, which tells the name of its token. False: that is too long for a note; or it is none. */
bool lane_name_format_note(const char *token, char text[NAME_SIZE]);
bool lane_name_parse_note(const char *text, const char **ret_token, struct message_name *ret_name);

/* The Nth cut of the message at a position, what it says, and its draft. */
#define LANE_CUTS "cuts"
#define LANE_CUTS_MAX 999
#define LANE_CUT_SIZE 21
#define LANE_SAYS_SIZE 18
#define LANE_DRAFT_SIZE 22
struct lane_says {
    uint64_t random;
    bool is_late;
};
enum lane_draft { LANE_DRAFT_OUT, LANE_DRAFT_VOID };
void lane_name_format_cut(uint64_t position, int nth, char text[LANE_CUT_SIZE]);
bool lane_name_parse_cut(const char *text, uint64_t *ret_position);
void lane_name_format_says(const struct lane_says *says, char text[LANE_SAYS_SIZE]);
bool lane_name_parse_says(const char *text, struct lane_says *ret_says);
void lane_name_format_draft(enum lane_draft state, uint64_t random, char text[LANE_DRAFT_SIZE]);
bool lane_name_is_draft(const char *text);

/* The bucket of a position, and whether a text names one. */
void lane_name_format_bucket(uint64_t position, char text[NAME_BUCKET_SIZE]);
bool lane_name_is_bucket(const char *text);

/* Whether the positions in a bucket are offsets in a log (group_name.h). */
bool lane_name_has_offsets(const char *bucket);

/* Whether the head of a token is some of the messages of its file, and not the last. */
static inline bool lane_name_is_part(const struct message_name *token)
{
    return token->of > 0 && token->length > 0;
}

/* The name of the token for the messages of the head's file that follow a part. */
struct message_name lane_name_after(const struct message_name *part);

/* The name of a token whose head is the message `waiting`. The caller gives it a position and, if need be, a time. */
struct message_name lane_name_token(const struct message_name *waiting, const char *lane);

/* A token whose head is a part gets the mark of a retry. False: it has no room for it. */
bool lane_name_mark_retried(struct message_name *token);

/* The link in tmp/ that tells that the dead letter of a parked token is retried in its place. */
void lane_name_format_retried(const struct message_name *token, char text[NAME_SIZE]);

/* The name that the head of a token has in its lane, and the head's own name outside of it, as a dead letter. */
void lane_name_head(const struct message_name *token, char text[NAME_SIZE]);
struct message_name lane_name_without(const struct message_name *token);

#endif
