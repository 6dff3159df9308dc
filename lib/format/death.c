/* Reasons of death. */
#include "format/death.h"

#include <string.h>

#include "base/put.h"
#include "format/digits.h"

static const char *const reasons[MQ_DEATHS] = {
    [MQ_DEATH_REJECTED] = "rejected",
    [MQ_DEATH_MAX_ATTEMPTS] = "max-attempts",
    [MQ_DEATH_EXPIRED] = "expired",
    [MQ_DEATH_CORRUPT] = "corrupt",
};

const char *mq_death_name(enum mq_death death)
{
    return reasons[death];
}

enum mq_death death_cause(const char *reason)
{
    for (int death = 0; death < MQ_DEATHS; death++)
        if (strcmp(reason, reasons[death]) == 0)
            return (enum mq_death)death;
    return MQ_DEATH_REJECTED;
}

/* ---- escaping ------------------------------------------------------------------- */

static bool must_escape(unsigned char c)
{
    return c <= ' ' || c == '.' || c == '/' || c == '%' || c == 0x7f;
}

static bool continues_character(unsigned char c)
{
    return (c & 0xC0) == 0x80;
}

/* The length of the character at `text`: up to the first byte that does not continue it. */
static size_t character_length(const char *text)
{
    size_t length = 1;
    while (continues_character((unsigned char)text[length]))
        length++;
    return length;
}

void name_escape_reason(const char *reason, char ret_escaped[NAME_REASON_SIZE])
{
    char *at = ret_escaped, *const end = ret_escaped + NAME_REASON_SIZE - 1;
    while (*reason) {
        const bool escape = must_escape((unsigned char)*reason);
        const size_t length = escape ? 1 : character_length(reason);
        if (at + (escape ? 3 : length) > end)
            break;
        if (escape) {
            *at++ = '%';
            at = put_hex(at, (unsigned char)*reason, 2);
        } else {
            memcpy(at, reason, length);
            at += length;
        }
        reason += length;
    }
    *at = '\0';
}

void name_unescape_reason(const char *escaped, char ret_reason[NAME_REASON_SIZE])
{
    char *at = ret_reason;
    while (*escaped && at < ret_reason + NAME_REASON_SIZE - 1) {
        uint64_t byte;
        if (*escaped == '%' && parse_hex(escaped + 1, 2, &byte) && byte != 0) {
            *at++ = (char)byte;
            escaped += 3;
        } else {
            *at++ = *escaped++;
        }
    }
    *at = '\0';
}
