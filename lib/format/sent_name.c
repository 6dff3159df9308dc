/* The grammar of what sending once leaves in a queue. */
#include "format/sent_name.h"

#include <stdio.h>
#include <string.h>

#include "base/id.h"
#include "base/put.h"
#include "format/digits.h"

#define MOMENT_DIGITS 13

static const char *parse_moment(const char *text, int64_t *ret_moment)
{
    uint64_t value;
    const char *end = parse_hex(text, MOMENT_DIGITS, &value);
    if (end)
        *ret_moment = (int64_t)value;
    return end;
}

/* ---- slots ------------------------------------------------------------------------ */

static const char spread_suffix[] = "-16";

void sent_name_format_slot(const struct sent_slot *slot, char text[SENT_NAME_SLOT_SIZE])
{
    char *at = put_hex(text, (uint64_t)slot->number, MOMENT_DIGITS);
    *at++ = '-';
    at = put_hex(at, (uint64_t)slot->begin, MOMENT_DIGITS);
    *at++ = '-';
    at = put_hex(at, (uint64_t)slot->until, MOMENT_DIGITS);
    *put_text(at, slot->is_spread ? spread_suffix : "") = '\0';
}

bool sent_name_parse_slot(const char *text, struct sent_slot *ret_slot)
{
    struct sent_slot slot;
    const char *end = parse_moment(text, &slot.number);
    if (end)
        end = *end == '-' ? parse_moment(end + 1, &slot.begin) : NULL;
    if (end)
        end = *end == '-' ? parse_moment(end + 1, &slot.until) : NULL;
    slot.is_spread = end && strcmp(end, spread_suffix) == 0;
    if (!end || (*end != '\0' && !slot.is_spread))
        return false;
    *ret_slot = slot;
    return true;
}

unsigned sent_name_directory(const char *id)
{
    unsigned sum = 0;
    for (; *id && *id != '~'; id++)
        sum += (unsigned char)*id;
    return sum % SENT_NAME_SPREAD;
}

void sent_name_format_number(int64_t number, unsigned directory, char text[NAME_BUCKET_SIZE])
{
    char *at = put_hex(text, (uint64_t)number, MOMENT_DIGITS);
    if (directory != SENT_NAME_ONE) {
        *at++ = '-';
        at = put_hex(at, directory, 1);
    }
    *at = '\0';
}

bool sent_name_parse_number(const char *text, int64_t *ret_number, unsigned *ret_directory)
{
    int64_t number;
    uint64_t directory = SENT_NAME_ONE;
    const char *end = parse_moment(text, &number);
    if (end && *end == '-')
        end = parse_hex(end + 1, 1, &directory);
    if (!end || *end != '\0')
        return false;
    *ret_number = number;
    *ret_directory = (unsigned)directory;
    return true;
}

static const char slot_dir_prefix[] = "slot-";

void sent_name_format_new_slot_dir(uint64_t random, char text[NAME_NEW_BUCKET_SIZE])
{
    *put_hex(put_text(text, slot_dir_prefix), random, WORD_DIGITS) = '\0';
}

bool sent_name_is_new_slot_dir(const char *text)
{
    uint64_t random;
    const size_t length = strlen(slot_dir_prefix);
    const char *end = strncmp(text, slot_dir_prefix, length) == 0 ? parse_hex(text + length, WORD_DIGITS, &random)
                                                                  : NULL;
    return end && *end == '\0';
}

/* ---- marks ------------------------------------------------------------------------ */

void sent_name_format_mark(const char *id, int nth, char text[SENT_NAME_MARK_SIZE])
{
    char *at = put_text(text, id);
    if (nth > 1) {
        *at++ = '~';
        at = put_decimal(at, (uint64_t)nth);
    }
    *at = '\0';
}

static bool is_nth(const char *digits)
{
    const size_t length = strlen(digits);
    return length >= 1 && length <= 3 && strspn(digits, "0123456789") == length && digits[0] != '0' &&
           strcmp(digits, "1") != 0;
}

bool sent_name_is_mark(const char *text, char ret_id[MQ_ID_SIZE])
{
    char id[MQ_ID_SIZE];
    const size_t length = strcspn(text, "~");
    if (length >= sizeof id || (text[length] == '~' && !is_nth(text + length + 1)))
        return false;
    *put_bytes(id, text, length) = '\0';
    if (!id_is_valid(id))
        return false;
    memcpy(ret_id, id, length + 1);
    return true;
}

/* The name of the draft in delayed/, without its id and what follows from it. */
void sent_name_format_says(const struct message_name *draft, char text[SENT_NAME_DRAFT_SIZE])
{
    const struct message_name nameless = {.time = draft->time,
                                          .position = draft->position,
                                          .priority = draft->priority,
                                          .count = 1,
                                          .expires = draft->expires,
                                          .id = "-"};
    char name[NAME_SIZE];
    name_format(MQ_DELAYED, &nameless, name);
    char *const rest = strstr(name, ".-.a0");
    snprintf(text, SENT_NAME_DRAFT_SIZE, "%.*s%s", (int)(rest - name), name, rest + strlen(".-.a0"));
}

bool sent_name_parse_says(const char *text, const char *id, struct message_name *ret_draft)
{
    char name[NAME_SIZE], again[SENT_NAME_DRAFT_SIZE];
    struct message_name draft;
    const size_t due = strcspn(text, "."), position = text[due] ? strcspn(text + due + 1, ".") : 0;
    const int head = (int)(due + 1 + position);
    if (text[due] == '\0' || strlen(text) >= SENT_NAME_DRAFT_SIZE)
        return false;
    snprintf(name, sizeof name, "%.*s.%s.a0%s", head, text, id, text + head);
    if (!name_parse(MQ_DELAYED, name, &draft))
        return false;
    sent_name_format_says(&draft, again);
    if (strcmp(again, text) != 0)
        return false;
    *ret_draft = draft;
    return true;
}

void sent_name_format_says_several(uint64_t random, char text[SENT_NAME_DRAFT_SIZE])
{
    *put_hex(text, random, WORD_DIGITS) = '\0';
}

bool sent_name_parse_says_several(const char *text, uint64_t *ret_random)
{
    uint64_t random;
    const char *end = parse_hex(text, WORD_DIGITS, &random);
    if (!end || *end != '\0')
        return false;
    *ret_random = random;
    return true;
}

/* ---- drafts ----------------------------------------------------------------------- */

static const char *const prefixes[] = {[SENT_ONCE] = "once-", [SENT_VOID] = "void-"};
#define PREFIX 5

void sent_name_format_draft(enum sent_kind kind, int64_t number, const struct message_name *draft, char text[NAME_SIZE])
{
    char name[NAME_SIZE];
    name_format(MQ_DELAYED, draft, name);
    char *at = put_hex(put_text(text, prefixes[kind]), (uint64_t)number, MOMENT_DIGITS);
    *at++ = '.';
    strcpy(at, name); /* the fields of a claim and of a death, which are long, are missing */
}

void sent_name_format_draft_of_several(enum sent_kind kind, int64_t number, uint64_t random, char text[NAME_SIZE])
{
    char *at = put_hex(put_text(text, prefixes[kind]), (uint64_t)number, MOMENT_DIGITS);
    *at++ = '.';
    *put_hex(at, random, WORD_DIGITS) = '\0';
}

bool sent_name_parse_draft(const char *text, enum sent_kind *ret_kind, int64_t *ret_number)
{
    for (int kind = SENT_ONCE; kind <= SENT_VOID; kind++) {
        int64_t number;
        const char *end = strncmp(text, prefixes[kind], PREFIX) == 0 ? parse_moment(text + PREFIX, &number) : NULL;
        if (!end || *end != '.')
            continue;
        *ret_kind = (enum sent_kind)kind;
        *ret_number = number;
        return true;
    }
    return false;
}

void sent_name_void(const char *text, char ret_void[NAME_SIZE])
{
    snprintf(ret_void, NAME_SIZE, "%s%s", prefixes[SENT_VOID], text + PREFIX);
}
