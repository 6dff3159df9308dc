/*
 * The grammar of file names, bucket names and receipts; no I/O. Nothing else knows it.
 *
 *     ready      POSITION.ID.FIELDS             in bucket  <9 - priority>-<birth>
 *     delayed    DUE.POSITION.ID.FIELDS         in bucket  <DUE, low 24 bits zero>
 *     in flight  DEADLINE.POSITION.ID.FIELDS    in bucket  <DEADLINE, low 24 bits zero>
 *     dead       DIED.POSITION.ID.FIELDS        in bucket  <DIED, low 32 bits zero>
 *
 * POSITION is 17 digits: 9 - priority, then the position word in 16 hexadecimal digits. A position
 * word is 52 bits of its bucket's birth (microseconds) and 12 bits of slot. Times are 13
 * hexadecimal digits of microseconds. FIELDS are a letter and a value each, joined by dots, in this order:
 *
 *     aN      attempts so far                  xT   expiry
 *     nN      messages that the name stands for, where it is not one
 *     oBYTE   where in the file the first of them begins, where it is not 0
 *     lBYTES  how long they are, where they do not reach to the file's end
 *     sBYTE-MARK  a message was split off in front, which began there; 12 hex digits name its link (see split.h)
 *     bT      when the claim began             pPID-HOST  the process that has it
 *     cTOKEN  of a claim, 16 hex digits        rTEXT  why it is dead, escaped
 *     f       it was dead and is retried, kept among the others
 *
 * then those of other letters, as they were found. POSITION and ID are those of the first message that the name
 * stands for; the others have the positions behind it. Sorted as bytes, names are in order of delivery.
 */
#ifndef MQ_NAME_H
#define MQ_NAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "clock.h"
#include "mq.h"

#define NAME_SIZE 256               /* the longest file name and its NUL */
#define NAME_BUCKET_SIZE 16         /* the longest bucket name and its NUL */
#define NAME_REASON_SIZE 81         /* of an escaped reason */
#define NAME_OTHERS_SIZE 30         /* of all the fields that we do not know */
#define NAME_ATTEMPTS_MAX 999999999 /* a count that stops there */
#define NAME_COUNT_MAX 4096         /* messages of one name: the slots of a bucket */
#define NAME_BYTES_MAX 9999999      /* where a message in a file of several may begin */
#define NAME_SPLIT_BITS 48
#define NAME_TIME_MAX CLOCK_MAX
#define NAME_WAITER_SIZE 28
#define NAME_NEW_BUCKET_SIZE 28
#define NAME_PRIORITIES 10

#define NAME_HOST_SIZE 9 /* of a host's mark and its NUL */

/* Who made a claim. */
struct name_owner {
    uint32_t process; /* 0: not known */
    char host[NAME_HOST_SIZE];
};

/* One message's name, taken apart. */
struct name {
    int64_t time;      /* due, deadline or death; unused in ready/ */
    uint64_t position; /* the position word */
    int priority;
    uint32_t attempts;
    uint32_t count;        /* messages it stands for */
    uint32_t offset;       /* where in the file they begin */
    uint32_t length;       /* 0: they reach to its end */
    bool split;            /* the message in front may still have to be moved out of tmp/ */
    uint32_t split_offset; /* where that one begins */
    uint64_t split_mark;   /* of its link in tmp/, of NAME_SPLIT_BITS */
    int64_t expires;       /* 0: never */
    bool claimed;
    uint64_t token; /* where claimed, and what follows */
    int64_t begun;  /* 0: not known */
    struct name_owner owner;
    char id[MQ_ID_SIZE];
    char reason[NAME_REASON_SIZE]; /* escaped; empty where there is none */
    char others[NAME_OTHERS_SIZE]; /* fields we do not know, each with its leading dot */
};

static inline uint64_t name_position(uint64_t birth, unsigned slot)
{
    return birth << 12 | slot;
}

static inline uint64_t name_birth(uint64_t position)
{
    return position >> 12;
}

/* Whether it has its place in the queue. Who may only send cannot see the queue's page, and leaves that to whoever may:
   till then the word is random, so that nobody can guess the name, and less than that of any bucket's birth. */
#define NAME_NO_PLACE_BITS 48
static inline bool name_has_place(const struct name *name)
{
    return name->position >> NAME_NO_PLACE_BITS != 0;
}

/* Whether a name can say a moment so long after `now`. */
static inline bool name_can_say_after(int64_t now, int64_t duration)
{
    return duration >= 0 && duration <= NAME_TIME_MAX - now;
}

/* A moment so long after `now`, or the last one that a name can say. */
static inline int64_t name_time_after(int64_t now, int64_t duration)
{
    return duration < NAME_TIME_MAX - now ? now + duration : NAME_TIME_MAX;
}

/* One attempt more. */
static inline void name_count_attempt(struct name *name)
{
    name->attempts += name->attempts < NAME_ATTEMPTS_MAX;
}

/* Whoever sends decides where the message belongs and when, and how many there are. All else that a name may say of it
   came from a forger: the name loses it, and stands for the whole file. */
void name_as_sent(struct name *name);

/* Take a file name of a state's directory apart. False: not a message's name. */
bool name_parse(enum mq_state state, const char *text, struct name *ret_name);

/* Whether the text holds that token: by a look that costs little, which most names of claims do not survive. */
bool name_has_token(const char *text, uint64_t token);

/* Put it together. The text always fits. */
void name_format(enum mq_state state, const struct name *name, char text[NAME_SIZE]);

/* The name of the bucket that the message belongs in. */
void name_format_bucket(enum mq_state state, const struct name *name, char text[NAME_BUCKET_SIZE]);

/* Buckets of ready/: by priority and birth. */
void name_format_ready_bucket(int priority, uint64_t birth, char text[NAME_BUCKET_SIZE]);
bool name_parse_ready_bucket(const char *text, int *ret_priority, uint64_t *ret_birth);

/* Buckets ordered by time: the first moment and the first moment after. */
bool name_parse_timed_bucket(enum mq_state state, const char *text, int64_t *ret_start, int64_t *ret_end);

/* The first bucket of every directory ordered by time. It is there from the beginning and stays, and on a full disk it
   takes what belongs in others that cannot be made: beginning at 0, it is always looked through. */
#define NAME_RESERVE_BUCKET "0000000000000"

/* Whether text names a bucket of that state. */
bool name_is_bucket(enum mq_state state, const char *text);

/* The directory of a state. */
const char *name_of_state(enum mq_state state);

/* A reason as one field of a name: escaped, and cut at a character where it is too long. */
void name_escape_reason(const char *reason, char ret_escaped[NAME_REASON_SIZE]);
void name_unescape_reason(const char *escaped, char ret_reason[NAME_REASON_SIZE]);

/* The name in tmp/ of a message that is split off: by what it was in front of, and the mark. */
void name_format_split(const struct name *rest, char text[NAME_SIZE]);
bool name_is_split(const char *text);

/* A receipt is QUEUE/ and the in-flight file's name. `name` is a struct name of MQ_INFLIGHT. */
bool receipt_parse(const char *receipt, char ret_queue[MQ_QUEUE_NAME_SIZE], struct name *ret_name);
void receipt_format(const char *queue, const struct name *name, char ret_receipt[MQ_RECEIPT_SIZE]);

/* The mark of a host in the names of its claims: how the name of its page begins, which is the machine id. */
void name_mark_host(const char *host_name, char ret_mark[NAME_HOST_SIZE]);

/* The FIFO of a process that waits; hidden by a leading dot until the process has it open. */
void name_format_waiter(uint64_t random, char text[NAME_WAITER_SIZE]);
bool name_is_waiter(const char *text);

/* The FIFO that senders write to; the receiver that leads reads it. It stays when nobody waits. */
#define NAME_BELL "bell"

/* A directory in tmp/ that is to become a bucket. */
void name_format_new_bucket(uint64_t random, char text[NAME_NEW_BUCKET_SIZE]);
bool name_is_new_bucket(const char *text);

/* Buckets of done/: the moment when they begin. They last for the smallest power of two of microseconds that is no
   shorter than the window. */
void name_format_done_bucket(int64_t moment, int64_t window, char text[NAME_BUCKET_SIZE]);
bool name_parse_done_bucket(const char *text, int64_t *ret_start);
int64_t name_done_width(int64_t window);

/* A dead letter that is given another try begins at no attempts, and what was kept of its failures stays: its name
   says so, by a field `f` among the others. False: there is no room for it. */
bool name_mark_retried(struct name *name);

/* Whether something may be kept of its failures, as far as its name tells. */
bool name_may_have_failed(enum mq_state state, const struct name *name);

/* The queue that takes the reply to one request. */
#define NAME_REPLY_SIZE 24
void name_format_reply(uint64_t random, char text[NAME_REPLY_SIZE]);
bool name_is_reply(const char *text);

/* Names beside the queues in a spool, no queue's since they start with a dot: being made, being
   deleted, held out of sight to see whether it is empty, and found to be empty. */
enum name_pending { NAME_NEW, NAME_GONE, NAME_HELD, NAME_EMPTIED };
#define NAME_PENDING_SIZE 168
void name_format_pending(enum name_pending kind, const char *queue, uint64_t random, char text[NAME_PENDING_SIZE]);
bool name_parse_pending(const char *text, enum name_pending *ret_kind, char ret_queue[MQ_QUEUE_NAME_SIZE]);

#endif
