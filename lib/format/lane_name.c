/* The names of lanes, and of what lies in them. */
#include "format/lane_name.h"

#include <string.h>

#include "base/id.h"
#include "base/put.h"
#include "base/sha256.h"
#include "format/batch.h"
#include "format/digits.h"
#include "format/group_name.h"

#define BUCKET_BITS 20
#define OFFSETS_BIRTH_BIT (GROUP_POSITION_BIT - 12)
#define BUCKET_DIGITS 13

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/* Six bits a character, the highest first. */
static void put_bits(uint64_t value, int count, char *to)
{
    for (int i = 0; i < count; i++)
        to[i] = alphabet[value >> 6 * (count - 1 - i) & 63];
    to[count] = '\0';
}

void lane_name_key(const char *group, char ret_key[LANE_KEY_SIZE])
{
    char digest[SHA256_TEXT_SIZE];
    uint64_t word = 0;
    struct sha256 hash = sha256_begin();
    sha256_add(&hash, group, strlen(group));
    sha256_end(&hash, digest);
    for (int half = 0; half < 2; half++) {
        parse_hex(digest + half * 12, 12, &word);
        put_bits(word, NAME_LANE_KEY / 2, ret_key + half * (NAME_LANE_KEY / 2));
    }
}

static bool is_text_of(const char *text, size_t length)
{
    return strlen(text) == length && id_is_valid(text);
}

bool lane_name_is_key(const char *text)
{
    return is_text_of(text, NAME_LANE_KEY);
}

void lane_name_make(const char *key, uint64_t random, char ret_lane[NAME_LANE_SIZE])
{
    memcpy(ret_lane, key, NAME_LANE_KEY);
    put_bits(random, NAME_LANE_GEN, ret_lane + NAME_LANE_KEY);
}

void lane_name_key_of(const char *lane, char ret_key[LANE_KEY_SIZE])
{
    memcpy(ret_key, lane, NAME_LANE_KEY);
    ret_key[NAME_LANE_KEY] = '\0';
}

void lane_name_format_gen(const char *lane, char text[LANE_GEN_SIZE])
{
    *put_text(put_text(text, "gen."), lane + NAME_LANE_KEY) = '\0';
}

void lane_name_format_cut_gen(const char *lane, char text[LANE_GEN_SIZE])
{
    *put_text(put_text(text, "cut."), lane + NAME_LANE_KEY) = '\0';
}

bool lane_name_parse_gen(const char *key, const char *text, char ret_lane[NAME_LANE_SIZE])
{
    const bool is = strncmp(text, "gen.", 4) == 0 || strncmp(text, "cut.", 4) == 0;
    if (!is || !is_text_of(text + 4, NAME_LANE_GEN))
        return false;
    *put_text(put_text(ret_lane, key), text + 4) = '\0';
    return true;
}

#define NOTE "rest."

bool lane_name_format_note(const char *token, char text[NAME_SIZE])
{
    if (strlen(token) + sizeof NOTE > NAME_SIZE)
        return false;
    *put_text(put_text(text, NOTE), token) = '\0';
    return true;
}

bool lane_name_parse_note(const char *text, const char **ret_token, struct message_name *ret_name)
{
    *ret_token = text + strlen(NOTE);
    return strncmp(text, NOTE, strlen(NOTE)) == 0 && name_parse(MQ_INFLIGHT, *ret_token, ret_name) &&
           ret_name->lane[0] && ret_name->settled && !lane_name_is_part(ret_name);
}

/* ---- cuts ---------------------------------------------------------------------------- */

void lane_name_format_cut(uint64_t position, int nth, char text[LANE_CUT_SIZE])
{
    char *at = put_hex(text, position, WORD_DIGITS);
    *at++ = '.';
    *put_decimal(at, (uint32_t)nth) = '\0';
}

bool lane_name_parse_cut(const char *text, uint64_t *ret_position)
{
    uint64_t position;
    const char *at = parse_hex(text, WORD_DIGITS, &position);
    if (!at || *at++ != '.' || *at < '1' || *at > '9')
        return false;
    const size_t digits = strspn(at, "0123456789");
    if (at[digits] || digits > 3)
        return false;
    *ret_position = position;
    return true;
}

void lane_name_format_says(const struct lane_says *says, char text[LANE_SAYS_SIZE])
{
    *put_text(put_hex(text, says->random, WORD_DIGITS), says->is_late ? "+" : "") = '\0';
}

bool lane_name_parse_says(const char *text, struct lane_says *ret_says)
{
    uint64_t random;
    const char *at = parse_hex(text, WORD_DIGITS, &random);
    if (!at || (*at && strcmp(at, "+") != 0))
        return false;
    *ret_says = (struct lane_says){random, *at == '+'};
    return true;
}

static const char *const drafts[] = {[LANE_DRAFT_OUT] = "out-", [LANE_DRAFT_VOID] = "void-"};

void lane_name_format_draft(enum lane_draft state, uint64_t random, char text[LANE_DRAFT_SIZE])
{
    *put_hex(put_text(text, drafts[state]), random, WORD_DIGITS) = '\0';
}

bool lane_name_is_draft(const char *text)
{
    for (size_t i = 0; i < sizeof drafts / sizeof *drafts; i++) {
        const size_t length = strlen(drafts[i]);
        uint64_t random;
        const char *end = strncmp(text, drafts[i], length) == 0 ? parse_hex(text + length, WORD_DIGITS, &random) : NULL;
        if (end && !*end)
            return true;
    }
    return false;
}

/* ---- lanes that are made ------------------------------------------------------------- */

void lane_name_format_new(const char *lane, char text[LANE_NEW_SIZE])
{
    *put_text(put_text(text, "lane-"), lane) = '\0';
}

bool lane_name_is_new(const char *text)
{
    return strncmp(text, "lane-", 5) == 0 && is_text_of(text + 5, NAME_LANE_SIZE - 1);
}

/* Those of a log are dense: a bucket has 4096 of them. */
static uint64_t start_of(uint64_t birth)
{
    return birth >> OFFSETS_BIRTH_BIT == 1 ? birth : birth >> BUCKET_BITS << BUCKET_BITS;
}

void lane_name_format_bucket(uint64_t position, char text[NAME_BUCKET_SIZE])
{
    *put_hex(text, start_of(name_birth(position)), BUCKET_DIGITS) = '\0';
}

bool lane_name_is_bucket(const char *text)
{
    uint64_t start;
    const char *end = parse_hex(text, BUCKET_DIGITS, &start);
    return end && !*end && start == start_of(start);
}

bool lane_name_has_offsets(const char *bucket)
{
    uint64_t start;
    return parse_hex(bucket, BUCKET_DIGITS, &start) && start >> OFFSETS_BIRTH_BIT == 1;
}

struct message_name lane_name_token(const struct message_name *waiting, const char *lane)
{
    struct message_name token = *waiting;
    memcpy(token.lane, lane, NAME_LANE_SIZE);
    token.head = waiting->position;
    token.settled = 0;
    token.skipped = 0;
    token.of = waiting->count > 1 ? waiting->count : 0;
    return token;
}

/* Files of several messages have no field of this kind, and their tokens no others. */
#define RETRIED ".f"

bool lane_name_mark_retried(struct message_name *token)
{
    if (!token->others[0])
        strcpy(token->others, RETRIED);
    return strcmp(token->others, RETRIED) == 0;
}

static void forget_retry(struct message_name *name)
{
    if (strcmp(name->others, RETRIED) == 0)
        name->others[0] = '\0';
}

struct message_name lane_name_after(const struct message_name *part)
{
    struct message_name rest = *part;
    forget_retry(&rest);
    rest.settled = rest.attempts = 0;
    rest.split = false;
    rest.skipped = part->skipped + part->count;
    rest.count = part->of > rest.skipped ? part->of - rest.skipped : 1;
    rest.offset = part->offset + part->length;
    rest.length = 0;
    batch_step_id(part->id, part->count, rest.id);
    return rest;
}

/* It keeps `of`, which no name without a lane shows, so that lane_name_is_part can tell. */
struct message_name lane_name_without(const struct message_name *token)
{
    struct message_name head = *token;
    head.position = token->head + token->skipped;
    head.head = 0;
    head.lane[0] = '\0';
    head.settled = head.skipped = 0;
    return head;
}

/* Attempts are counted by the token. */
void lane_name_head(const struct message_name *token, char text[NAME_SIZE])
{
    struct message_name head = lane_name_without(token);
    head.attempts = 0;
    head.split = false;
    head.position = token->head;
    if (token->of) {
        forget_retry(&head);
        head.count = token->of;
        head.offset = head.length = 0;
        batch_step_id(token->id, -(int64_t)token->skipped, head.id);
    }
    name_format(MQ_READY, &head, text);
}

/* No two tokens ever have the same position, so a link that is left behind is never taken for another one's. */
void lane_name_format_retried(const struct message_name *token, char text[NAME_SIZE])
{
    struct message_name link = lane_name_without(token);
    link.split_mark = token->position & ((UINT64_C(1) << NAME_SPLIT_BITS) - 1);
    name_format_split(&link, text);
}
