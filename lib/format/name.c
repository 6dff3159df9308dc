/* The grammar of the names of messages, buckets and a queue's other files. */
#include "format/name.h"

#include <string.h>

#include "base/id.h"
#include "base/put.h"
#include "format/digits.h"

#define TIME_DIGITS 13
#define POSITION_DIGITS 17
#define ATTEMPTS_DIGITS 9
#define PROCESS_DIGITS 9
#define COUNT_DIGITS 4
#define BYTES_DIGITS 7
#define SPLIT_DIGITS (NAME_SPLIT_BITS / 4)
#define LANE_OTHERS_MAX 9
#define SHARING_OTHERS_MAX 2 /* the mark of a retry */

/* ---- states --------------------------------------------------------------------- */

/*
 * What is told apart by states in names. The width of a bucket is a compromise: a million messages that are spread over
 * a day need only some thousand buckets, and the bucket of this moment, which is listed for what is due, stays small.
 */
struct state {
    const char *name;     /* for users; the state's directory has the same name */
    const char *time;     /* what the time at the beginning of a message's name is; NULL: there is none */
    unsigned bucket_bits; /* how many low bits of that time are zero in the name of a bucket */
};

static const struct state states[MQ_STATES] = {
    [MQ_READY] = {"ready", NULL, 0},
    [MQ_DELAYED] = {"delayed", "due", 24},
    [MQ_INFLIGHT] = {"inflight", "deadline", 24},
    [MQ_DEAD] = {"dead", "died", 32},
};

const char *name_of_state(enum mq_state state)
{
    return states[state].name;
}

const char *mq_state_name(enum mq_state state)
{
    return name_of_state(state);
}

const char *mq_state_time_name(enum mq_state state)
{
    return states[state].time;
}

bool name_is_of_state(const char *text)
{
    for (int state = 0; state < MQ_STATES; state++)
        if (strcmp(text, states[state].name) == 0)
            return true;
    return false;
}

static int64_t bucket_start(enum mq_state state, int64_t moment)
{
    return moment >> states[state].bucket_bits << states[state].bucket_bits;
}

/* ---- reading -------------------------------------------------------------------- */

static const char *parse_time(const char *text, int64_t *ret_time)
{
    uint64_t value;
    const char *end = parse_hex(text, TIME_DIGITS, &value);
    if (end)
        *ret_time = (int64_t)value;
    return end;
}

static const char *parse_position(const char *text, struct message_name *name)
{
    if (text[0] < '0' || text[0] > '9')
        return NULL;
    name->priority = '9' - text[0];
    return parse_hex(text + 1, WORD_DIGITS, &name->position);
}

static const char *parse_id(const char *text, struct message_name *name)
{
    const size_t length = strcspn(text, ".");
    if (length >= sizeof name->id)
        return NULL;
    memcpy(name->id, text, length);
    name->id[length] = '\0';
    return id_is_valid(name->id) ? text + length : NULL;
}

/* Parse at most `digits` decimal digits. */
static const char *parse_decimal(const char *text, int digits, uint32_t *ret_value)
{
    uint32_t value = 0;
    const char *at = text;
    for (; *at >= '0' && *at <= '9' && at - text < digits; at++)
        value = value * 10 + (uint32_t)(*at - '0');
    if (at == text)
        return NULL;
    *ret_value = value;
    return at;
}

static const char *parse_count(const char *text, uint32_t *ret_count)
{
    const char *end = parse_decimal(text, COUNT_DIGITS, ret_count);
    return end && *ret_count > 1 && *ret_count <= NAME_COUNT_MAX ? end : NULL;
}

/* A place or length of 0 is not written, since it says nothing. So it is refused here. */
static const char *parse_bytes(const char *text, uint32_t *ret_bytes)
{
    const char *end = parse_decimal(text, BYTES_DIGITS, ret_bytes);
    return end && *ret_bytes > 0 ? end : NULL;
}

static bool ends_value(char c)
{
    return (unsigned char)c <= ' ' || c == '.' || c == '/' || c == 0x7f;
}

/* Skip the value of an unknown field: printable characters without a dot. */
static const char *skip_value(const char *text)
{
    const char *at = text;
    while (!ends_value(*at))
        at++;
    return at;
}

static const char *parse_reason(const char *text, struct message_name *name)
{
    const char *end = skip_value(text);
    const size_t length = (size_t)(end - text);
    if (length >= sizeof name->reason)
        return NULL;
    memcpy(name->reason, text, length);
    name->reason[length] = '\0';
    return end;
}

static const char *parse_split(const char *text, struct message_name *name)
{
    const char *dash = parse_decimal(text, BYTES_DIGITS, &name->split_offset);
    name->split = true;
    return dash && *dash == '-' ? parse_hex(dash + 1, SPLIT_DIGITS, &name->split_mark) : NULL;
}

static const char *parse_done(const char *text, struct message_name *name)
{
    const char *dash = parse_decimal(text, COUNT_DIGITS, &name->skipped);
    return dash && *dash == '-' ? parse_count(dash + 1, &name->of) : NULL;
}

static const char *parse_owner(const char *text, struct name_owner *ret_owner)
{
    const char *dash = parse_decimal(text, PROCESS_DIGITS, &ret_owner->process);
    if (!dash || *dash != '-')
        return NULL;
    const char *end = skip_value(dash + 1);
    const size_t length = (size_t)(end - dash - 1);
    if (length >= sizeof ret_owner->host)
        return NULL;
    memcpy(ret_owner->host, dash + 1, length);
    ret_owner->host[length] = '\0';
    return end;
}

static const char *parse_lane(const char *text, struct message_name *name)
{
    const size_t length = strnlen(text, NAME_LANE_SIZE - 1);
    memcpy(name->lane, text, length);
    name->lane[length] = '\0';
    return length == NAME_LANE_SIZE - 1 && id_is_valid(name->lane) ? text + length : NULL;
}

static const char *keep_field(const char *dot, struct message_name *name)
{
    if (dot[1] < 'a' || dot[1] > 'z')
        return NULL;
    const char *end = skip_value(dot + 2);
    const size_t used = strlen(name->others), length = (size_t)(end - dot);
    if (used + length >= sizeof name->others)
        return NULL;
    memcpy(name->others + used, dot, length);
    name->others[used + length] = '\0';
    return end;
}

static const char *parse_field(const char *dot, struct message_name *name)
{
    switch (dot[1]) {
    case 'a':
        return parse_decimal(dot + 2, ATTEMPTS_DIGITS, &name->attempts);
    case 'n':
        return parse_count(dot + 2, &name->count);
    case 'o':
        return parse_bytes(dot + 2, &name->offset);
    case 'l':
        return parse_bytes(dot + 2, &name->length);
    case 's':
        return parse_split(dot + 2, name);
    case 'x':
        return parse_time(dot + 2, &name->expires);
    case 'c':
        name->claimed = true;
        return parse_hex(dot + 2, WORD_DIGITS, &name->token);
    case 'b':
        return parse_time(dot + 2, &name->begun);
    case 'p':
        return parse_owner(dot + 2, &name->owner);
    case 'r':
        return parse_reason(dot + 2, name);
    case 'd':
        return parse_time(dot + 2, &name->due);
    case 'e':
        return parse_decimal(dot + 2, 1, &name->settled);
    case 'i':
        return parse_done(dot + 2, name);
    case 'g':
        return parse_lane(dot + 2, name);
    case 'h':
        return parse_hex(dot + 2, WORD_DIGITS, &name->head);
    default:
        return keep_field(dot, name);
    }
}

/* What concerns lanes has its room at the cost of unknown fields, and what concerns batches too at that of long ids. A single
   message that others share their file with may have a long id, unless it has a due time. */
static bool fits_lane(enum mq_state state, const struct message_name *name)
{
    const bool is_token = name->lane[0], shares = name->count > 1 || name->offset || name->length;
    if (!is_token && (name->head || name->settled || name->of))
        return false;
    if (!is_token && !name->due)
        return true;
    if (state == MQ_DEAD && is_token)
        return false;
    if (is_token && name->of ? name->skipped + name->count > name->of : is_token && name->count > 1)
        return false;
    const bool is_long = strlen(name->id) >= ID_UUID_SIZE, is_alone = name->count == 1 && !name->of;
    const bool may_split = is_token && name->settled && name->length && !name->begun && !name->owner.process;
    return (!name->split || may_split) && strlen(name->others) <= LANE_OTHERS_MAX &&
           (!shares || (is_long ? is_alone && !name->due : strlen(name->others) <= SHARING_OTHERS_MAX));
}

bool name_fits_lane(const struct message_name *waiting)
{
    struct message_name token = *waiting;
    memset(token.lane, '-', sizeof token.lane - 1);
    token.lane[sizeof token.lane - 1] = '\0';
    token.of = token.count > 1 ? token.count : 0;
    token.skipped = token.settled = 0;
    return fits_lane(MQ_READY, &token);
}

bool name_parse(enum mq_state state, const char *text, struct message_name *ret_name)
{
    /* The buffers of text need no clearing beyond their first byte. */
    struct message_name name;
    name.time = name.expires = name.begun = 0;
    name.token = name.split_mark = 0;
    name.attempts = name.offset = name.length = name.split_offset = name.owner.process = name.settled = 0;
    name.skipped = name.of = 0;
    name.count = 1;
    name.head = 0;
    name.due = 0;
    name.claimed = name.split = false;
    name.reason[0] = name.others[0] = name.lane[0] = '\0';

    const char *at = text;
    if (state != MQ_READY) {
        at = parse_time(at, &name.time);
        if (!at || *at++ != '.')
            return false;
    }
    at = parse_position(at, &name);
    if (!at || *at++ != '.')
        return false;
    at = parse_id(at, &name);
    while (at && *at == '.')
        at = parse_field(at, &name);
    if (!at || *at || at - text >= NAME_SIZE || name.claimed != (state == MQ_INFLIGHT) || !fits_lane(state, &name))
        return false;
    *ret_name = name;
    return true;
}

bool name_parse_ready_bucket(const char *text, int *ret_priority, uint64_t *ret_birth)
{
    uint64_t birth;
    if (text[0] < '0' || text[0] > '9' || text[1] != '-')
        return false;
    const char *end = parse_hex(text + 2, TIME_DIGITS, &birth);
    if (!end || *end)
        return false;
    *ret_priority = '9' - text[0];
    *ret_birth = birth;
    return true;
}

bool name_parse_timed_bucket(enum mq_state state, const char *text, int64_t *ret_start, int64_t *ret_end)
{
    int64_t start;
    const char *end = parse_time(text, &start);
    if (!end || *end || start != bucket_start(state, start))
        return false;
    *ret_start = start;
    *ret_end = start + (INT64_C(1) << states[state].bucket_bits);
    return true;
}

bool name_is_bucket(enum mq_state state, const char *text)
{
    int priority;
    uint64_t birth;
    int64_t start, end;
    return state == MQ_READY ? name_parse_ready_bucket(text, &priority, &birth)
                             : name_parse_timed_bucket(state, text, &start, &end);
}

bool name_has_token(const char *text, uint64_t token)
{
    char field[2 + WORD_DIGITS + 1] = ".c";
    *put_hex(field + 2, token, WORD_DIGITS) = '\0';
    return strstr(text, field) != NULL;
}

/* ---- writing -------------------------------------------------------------------- */

static char *put_field(char *at, char letter)
{
    *at++ = '.';
    *at++ = letter;
    return at;
}

static char *put_decimal_field(char *at, char letter, uint32_t value)
{
    return put_decimal(put_field(at, letter), value);
}

static char *put_position(char *at, const struct message_name *name)
{
    *at++ = (char)('9' - name->priority);
    return put_hex(at, name->position, WORD_DIGITS);
}

static char *put_split(char *at, const struct message_name *name)
{
    at = put_decimal_field(at, 's', name->split_offset);
    *at++ = '-';
    return put_hex(at, name->split_mark, SPLIT_DIGITS);
}

/* The fields that say which part of the file the name stands for. */
static char *put_part(char *at, const struct message_name *name)
{
    if (name->count > 1)
        at = put_decimal_field(at, 'n', name->count);
    if (name->offset)
        at = put_decimal_field(at, 'o', name->offset);
    if (name->length)
        at = put_decimal_field(at, 'l', name->length);
    return name->split ? put_split(at, name) : at;
}

static char *put_lane(char *at, const struct message_name *name)
{
    if (name->due)
        at = put_hex(put_field(at, 'd'), (uint64_t)name->due, TIME_DIGITS);
    if (!name->lane[0])
        return at;
    at = put_text(put_field(at, 'g'), name->lane);
    at = put_hex(put_field(at, 'h'), name->head, WORD_DIGITS);
    if (name->settled)
        at = put_decimal_field(at, 'e', name->settled);
    if (name->of) {
        at = put_decimal_field(at, 'i', name->skipped);
        *at++ = '-';
        at = put_decimal(at, name->of);
    }
    return at;
}

/* The token comes last. Its length is fixed, so a receipt that was cut short is not taken for a receipt. */
static char *put_claim(char *at, const struct message_name *name)
{
    if (name->begun)
        at = put_hex(put_field(at, 'b'), (uint64_t)name->begun, TIME_DIGITS);
    if (name->owner.process) {
        at = put_decimal_field(at, 'p', name->owner.process);
        *at++ = '-';
        at = put_text(at, name->owner.host);
    }
    return put_hex(put_field(at, 'c'), name->token, WORD_DIGITS);
}

void name_format(enum mq_state state, const struct message_name *name, char text[NAME_SIZE])
{
    char *at = text;
    if (state != MQ_READY) {
        at = put_hex(at, (uint64_t)name->time, TIME_DIGITS);
        *at++ = '.';
    }
    at = put_position(at, name);
    *at++ = '.';
    at = put_text(at, name->id);
    at = put_decimal_field(at, 'a', name->attempts);
    at = put_part(at, name);
    if (name->expires)
        at = put_hex(put_field(at, 'x'), (uint64_t)name->expires, TIME_DIGITS);
    if (name->due || name->lane[0])
        at = put_lane(at, name);
    if (state == MQ_INFLIGHT)
        at = put_claim(at, name);
    if (state == MQ_DEAD && name->reason[0])
        at = put_text(put_field(at, 'r'), name->reason);
    at = put_text(at, name->others);
    *at = '\0';
}

/* The longest name has a reason (a dead letter), or a token, a beginning, an owner, a count and a split (a claim). */
_Static_assert(TIME_DIGITS + 1 + POSITION_DIGITS + 1 + (MQ_ID_SIZE - 1) + 2 + 10 + 2 * (2 + BYTES_DIGITS) + 2 +
                       TIME_DIGITS + 2 + (NAME_REASON_SIZE - 1) + (NAME_OTHERS_SIZE - 1) <
                   NAME_SIZE,
               "a name made of the longest parts fits a directory entry");
_Static_assert(2 + COUNT_DIGITS + 2 + BYTES_DIGITS + 1 + SPLIT_DIGITS + 2 + WORD_DIGITS + 2 + TIME_DIGITS + 2 +
                       PROCESS_DIGITS + 1 + NAME_HOST_SIZE - 1 <
                   2 + (NAME_REASON_SIZE - 1),
               "what only a claim has is shorter than what only a dead letter has");
_Static_assert(TIME_DIGITS + 1 + POSITION_DIGITS + 1 + (MQ_ID_SIZE - 1) + 2 + 10 + 2 + TIME_DIGITS + 2 + TIME_DIGITS +
                       2 + NAME_LANE_SIZE - 1 + 2 + WORD_DIGITS + 3 + 2 + WORD_DIGITS + 2 + TIME_DIGITS + 2 +
                       PROCESS_DIGITS + 1 + NAME_HOST_SIZE - 1 + LANE_OTHERS_MAX <
                   NAME_SIZE,
               "a claim on a lane fits a directory entry");
_Static_assert(TIME_DIGITS + 1 + POSITION_DIGITS + 1 + (MQ_ID_SIZE - 1) + 2 + 10 + 2 * (2 + BYTES_DIGITS) + 2 +
                       TIME_DIGITS + 2 + NAME_LANE_SIZE - 1 + 2 + WORD_DIGITS + 3 + 2 + WORD_DIGITS + 2 + TIME_DIGITS +
                       2 + PROCESS_DIGITS + 1 + NAME_HOST_SIZE - 1 + LANE_OTHERS_MAX <
                   NAME_SIZE,
               "so does one on a single message of a file, if it has no due time");
_Static_assert(TIME_DIGITS + 1 + POSITION_DIGITS + 1 + (ID_UUID_SIZE - 1) + 2 + 10 + 2 + COUNT_DIGITS +
                       2 * (2 + BYTES_DIGITS) + 2 + TIME_DIGITS + 2 + TIME_DIGITS + 2 + NAME_LANE_SIZE - 1 + 2 +
                       WORD_DIGITS + 3 + 2 + COUNT_DIGITS + 1 + COUNT_DIGITS + 2 + WORD_DIGITS + 2 + TIME_DIGITS + 2 +
                       PROCESS_DIGITS + 1 + NAME_HOST_SIZE - 1 + SHARING_OTHERS_MAX <
                   NAME_SIZE,
               "so does the token of a lane whose head shares its file");

void name_format_ready_bucket(int priority, uint64_t birth, char text[NAME_BUCKET_SIZE])
{
    text[0] = (char)('9' - priority);
    text[1] = '-';
    *put_hex(text + 2, birth, TIME_DIGITS) = '\0';
}

void name_format_bucket(enum mq_state state, const struct message_name *name, char text[NAME_BUCKET_SIZE])
{
    if (state == MQ_READY)
        name_format_ready_bucket(name->priority, name_birth(name->position), text);
    else
        *put_hex(text, (uint64_t)bucket_start(state, name->time), TIME_DIGITS) = '\0';
}

/* ---- splits, hosts, waiters ------------------------------------------------------- */

static const char split_prefix[] = "split-";

void name_format_split(const struct message_name *rest, char text[NAME_SIZE])
{
    char *at = put_position(put_text(text, split_prefix), rest);
    *at++ = '.';
    at = put_text(at, rest->id);
    *at++ = '.';
    *put_hex(at, rest->split_mark, SPLIT_DIGITS) = '\0';
}

bool name_is_split(const char *text)
{
    return strncmp(text, split_prefix, strlen(split_prefix)) == 0;
}

void name_mark_host(const char *host_name, char ret_mark[NAME_HOST_SIZE])
{
    size_t length = 0;
    for (; length < NAME_HOST_SIZE - 1 && host_name[length]; length++)
        ret_mark[length] = (char)(ends_value(host_name[length]) ? '_' : host_name[length]);
    ret_mark[length] = '\0';
}
