/*
 * The grammar of the names of messages, buckets and a queue's other files. Nothing here does I/O. Related grammars are
 * in receipt.h, death.h (reasons of death) and spool_name.h (queues); no other module knows how a name is made.
 *
 *     struct message_name name;
 *     if (!name_parse(MQ_READY, file, &name))
 *         … not a message …
 *     name.attempts++;
 *     name_format_bucket(MQ_INFLIGHT, &name, bucket);    where the message belongs
 *     name_format(MQ_INFLIGHT, &name, text);             and what it is called there
 *
 * Errors. Parsing returns false for any text that formatting cannot have made; `ret_` arguments are untouched then.
 * Formatting cannot fail: every struct that parsing returned has a text that fits.
 *
 * The names of messages, by their state:
 *
 *     ready      POSITION.ID.FIELDS             in bucket  <9 - priority>-<birth>
 *     delayed    DUE.POSITION.ID.FIELDS         in bucket  <DUE, low 24 bits zero>
 *     in flight  DEADLINE.POSITION.ID.FIELDS    in bucket  <DEADLINE, low 24 bits zero>
 *     dead       DIED.POSITION.ID.FIELDS        in bucket  <DIED, low 32 bits zero>
 *
 * POSITION has 17 digits: 9 - priority, then the position word in 16 hexadecimal digits. The position word is the birth
 * of its bucket (52 bits, microseconds) and a slot (12 bits). Times are microseconds in 13 hexadecimal digits. FIELDS
 * are a letter and a value each, joined by dots, in this order:
 *
 *     aN      attempts so far                  xT   expiry
 *     nN      number of messages that the name stands for, if it is not one
 *     oBYTE   where in the file the first of them begins, if it is not 0
 *     lBYTES  how long they are, if they do not reach to the end of the file
 *     sBYTE-MARK  a message was split off in front, which began at BYTE; MARK (12 hex digits) names its link (split.h)
 *     bT      when the claim began             pPID-HOST  the process that claimed it
 *     cTOKEN  token of the claim, 16 hex digits           rTEXT  why it is dead, escaped
 *     f       it was dead and is retried; it is kept among the unknown fields
 *     mN      how often it is delivered at most, in place of what the queue says; kept there, too
 *     dT      when the message falls due, where that is not its state (lane_name.h)
 *     gLANE   the name is a token of this lane, and says which message is the lane's head
 *     hWORD   the head's own position word    eN  the head is settled; N says how
 *     iK-N    the head's file holds N messages, of which the first K are done; n, o and l say which the token stands for
 *
 * Fields of other letters follow, as they were found. POSITION and ID are those of the first message that the name
 * stands for; the messages behind it have the positions that follow. Names sorted as bytes are in order of delivery.
 */
#ifndef MQ_NAME_H
#define MQ_NAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"
#include "mq.h"

#define NAME_SIZE 256               /* the longest file name and its NUL */
#define NAME_BUCKET_SIZE 16         /* the longest bucket name and its NUL */
#define NAME_REASON_SIZE 81         /* the longest escaped reason and its NUL */
#define NAME_OTHERS_SIZE 30         /* all unknown fields together, and their NUL */
#define NAME_ATTEMPTS_MAX 999999999 /* attempts are counted up to this */
#define NAME_COUNT_MAX 4096         /* the most messages of one name: the slots of a bucket */
#define NAME_BYTES_MAX 9999999      /* the last byte of a file at which one of several messages may begin */
#define NAME_SPLIT_BITS 48
#define NAME_TIME_MAX CLOCK_MAX
#define NAME_WAITER_SIZE 28
#define NAME_NEW_BUCKET_SIZE 28
#define NAME_PRIORITIES 10
#define NAME_LANE_KEY 16 /* characters of a lane's name: 96 bits */
#define NAME_LANE_GEN 6  /* and of its generation: 36 bits */
#define NAME_LANE_SIZE (NAME_LANE_KEY + NAME_LANE_GEN + 1)

#define NAME_HOST_SIZE 9 /* the mark of a host and its NUL */

/* The process that made a claim. */
struct name_owner {
    uint32_t process; /* 0: unknown */
    char host[NAME_HOST_SIZE];
};

/* The parts of a message's name. */
struct message_name {
    int64_t time;      /* due time, deadline or time of death; unused in ready/ */
    uint64_t position; /* the position word */
    int priority;
    uint32_t attempts;
    uint32_t count;        /* number of messages that the name stands for */
    uint32_t offset;       /* where in the file they begin */
    uint32_t length;       /* 0: they reach to the end of the file */
    bool split;            /* the message in front was split off, and may still be in tmp/ */
    uint32_t split_offset; /* where that message begins */
    uint64_t split_mark;   /* the mark of its link in tmp/: NAME_SPLIT_BITS bits */
    int64_t expires;       /* 0: never */
    bool claimed;
    uint64_t token; /* if claimed; so are the next two */
    int64_t begun;  /* 0: unknown */
    struct name_owner owner;
    char lane[NAME_LANE_SIZE]; /* of a token: the lane and its generation; else empty */
    uint64_t head;             /* of a token: the position word of the lane's head */
    uint32_t settled;          /* of a token: how its head ended; 0: it has not */
    uint32_t skipped,
        of;      /* of a token whose head's file holds `of` messages: how many are done; 0 of 0: it holds one */
    int64_t due; /* of a message in a lane, and of its token: when it falls due; 0: at once */
    char id[MQ_ID_SIZE];
    char reason[NAME_REASON_SIZE]; /* escaped; empty if there is none */
    char others[NAME_OTHERS_SIZE]; /* unknown fields, each with its leading dot */
};

/* ---- messages ------------------------------------------------------------------- */

/* Parse the name of a file in a state's directory. False: it is not a message's name. */
bool name_parse(enum mq_state state, const char *text, struct message_name *ret_name);
void name_format(enum mq_state state, const struct message_name *name, char text[NAME_SIZE]);

/* Whether `text` may hold this token. A cheap look that most names of other claims do not pass. */
bool name_has_token(const char *text, uint64_t token);

/* Whether a message of this name can be in a lane: a token's name has room for less than others. */
bool name_fits_lane(const struct message_name *waiting);

/* Count one attempt more. */
static inline void name_count_attempt(struct message_name *name)
{
    name->attempts += name->attempts < NAME_ATTEMPTS_MAX;
}

/* Reduce the name of a message in the inbox to what its sender decides: where and when it belongs, and how many
   messages there are. Everything else that the name says is forged and goes, so that the name stands for the whole
   file. */
void name_as_sent(struct message_name *name);

/* Mark the name of a dead letter that is retried: its attempts begin at 0 again, but the records of its failures stay.
   The mark is a field `f` among the unknown ones. False: there is no room for it. */
bool name_mark_retried(struct message_name *name);

/* How often the message is delivered, if its sender said so: a field `m` among the unknown ones, so that older programs keep
   it. 0: as the queue says. False: there is no room for it. */
bool name_set_max_attempts(struct message_name *name, uint32_t attempts);
uint32_t name_max_attempts(const struct message_name *name);

/* Whether there may be records of this message's failures. */
bool name_may_have_failed(enum mq_state state, const struct message_name *name);

/* ---- positions and times -------------------------------------------------------- */

static inline uint64_t name_position(uint64_t birth, unsigned slot)
{
    return birth << 12 | slot;
}

static inline uint64_t name_birth(uint64_t position)
{
    return position >> 12;
}

/* Whether the message has its position. A sender that may not read the queue's page leaves that to the first receiver.
   Until then the position word is random, so that no user can guess the name, and lower than any bucket's birth. */
#define NAME_NO_PLACE_BITS 48
static inline bool name_has_place(const struct message_name *name)
{
    return name->position >> NAME_NO_PLACE_BITS != 0;
}

/* How many bytes of a file of this size belong to the messages that the name stands for. */
static inline int64_t name_bytes_in(const struct message_name *name, int64_t file_size)
{
    return name->length ? (int64_t)name->length : file_size - (int64_t)name->offset;
}

/* Whether a name can express the moment `duration` after `now`. */
static inline bool name_can_say_after(int64_t now, int64_t duration)
{
    return duration >= 0 && duration <= NAME_TIME_MAX - now;
}

/* The moment `duration` after `now`, or the last moment that a name can express. */
static inline int64_t name_time_after(int64_t now, int64_t duration)
{
    return duration < NAME_TIME_MAX - now ? now + duration : NAME_TIME_MAX;
}

/* ---- directories and buckets ---------------------------------------------------- */

/* The directory of a state, and whether a name is that of a state's directory. Code that makes paths calls this;
   mq_state_name is for texts that users read. */
const char *name_of_state(enum mq_state state);
bool name_is_of_state(const char *text);

/* The name of the bucket that a message belongs in. */
void name_format_bucket(enum mq_state state, const struct message_name *name, char text[NAME_BUCKET_SIZE]);

/* Whether `text` names a bucket of a state. */
bool name_is_bucket(enum mq_state state, const char *text);

/* A bucket of ready/: its priority and birth. */
void name_format_ready_bucket(int priority, uint64_t birth, char text[NAME_BUCKET_SIZE]);
bool name_parse_ready_bucket(const char *text, int *ret_priority, uint64_t *ret_birth);

/* A bucket of a state ordered by time: its first moment, and the first moment after it. */
bool name_parse_timed_bucket(enum mq_state state, const char *text, int64_t *ret_start, int64_t *ret_end);

/* The first bucket of every state ordered by time. It is made with the queue and never removed. On a full disk it takes
   the messages whose own bucket cannot be made. Since it begins at time 0, every walk looks into it. */
#define NAME_RESERVE_BUCKET "0000000000000"

/* The mark of a host in the names of its claims: the first characters of the name of its page, which is its machine
   id. */
void name_mark_host(const char *host_name, char ret_mark[NAME_HOST_SIZE]);

/* ---- other files ---------------------------------------------------------------- */

/* The link in tmp/ of a message that is split off. It is named by what remains of the batch, and by the mark. */
void name_format_split(const struct message_name *rest, char text[NAME_SIZE]);
bool name_is_split(const char *text);

#endif
