/* The grammar of names in a spool. */
#include "format/spool_name.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/put.h"
#include "format/digits.h"

#define PART_MOST 128 /* characters */

/* The length of the valid name that a text begins with; 0: it does not begin with one. */
static size_t part_of(const char *text)
{
    static const char first[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_";
    static const char more[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-";
    const size_t length = strspn(text, first) == 0 ? 0 : strspn(text, more);
    return length <= PART_MOST ? length : 0;
}

bool mq_queue_name_is_valid(const char *name)
{
    const size_t length = part_of(name);
    return length > 0 && name[length] == '\0';
}

/* ---- groups of logs ---------------------------------------------------------------- */

_Static_assert(2 * PART_MOST + sizeof "/" == MQ_QUEUE_NAME_SIZE, "a group's name fits");

bool mq_group_name_is_valid(const char *name)
{
    const size_t length = part_of(name);
    return length > 0 && name[length] == '/' && mq_queue_name_is_valid(name + length + 1);
}

bool name_is_queue(const char *text)
{
    return mq_queue_name_is_valid(text) || mq_group_name_is_valid(text);
}

const char *name_group_part(const char *name)
{
    const char *slash = strchr(name, '/');
    return slash ? slash + 1 : NULL;
}

void name_log_part(const char *name, char ret_log[MQ_QUEUE_NAME_SIZE])
{
    snprintf(ret_log, MQ_QUEUE_NAME_SIZE, "%.*s", (int)strcspn(name, "/"), name);
}

void name_format_group(const char *log, const char *group, char ret_name[MQ_QUEUE_NAME_SIZE])
{
    snprintf(ret_name, MQ_QUEUE_NAME_SIZE, "%.*s/%.*s", PART_MOST, log, PART_MOST, group);
}

void name_format_path_up(const char *name, char ret_path[NAME_PATH_SIZE])
{
    const char *group = name_group_part(name);
    if (group)
        snprintf(ret_path, NAME_PATH_SIZE, "../../../%.*s/" NAME_GROUPS "/%s", (int)strcspn(name, "/"), name, group);
    else
        snprintf(ret_path, NAME_PATH_SIZE, "../%s", name);
}

/* ---- reply queues --------------------------------------------------------------- */

static const char reply_prefix[] = "_reply-";

void name_format_reply(uint64_t random, char text[NAME_REPLY_SIZE])
{
    *put_hex(put_text(text, reply_prefix), random, WORD_DIGITS) = '\0';
}

bool name_is_reply(const char *text)
{
    uint64_t random;
    const size_t length = strlen(reply_prefix);
    const char *end = strncmp(text, reply_prefix, length) == 0 ? parse_hex(text + length, WORD_DIGITS, &random) : NULL;
    return end && *end == '\0';
}

/* ---- pending queues ------------------------------------------------------------- */

static const char *const pending_prefixes[] = {
    [NAME_NEW] = ".new-", [NAME_GONE] = ".gone-", [NAME_HELD] = ".held-", [NAME_EMPTIED] = ".emptied-"};

void name_format_pending(enum name_pending kind, const char *queue, uint64_t random, char text[NAME_PENDING_SIZE])
{
    snprintf(text, NAME_PENDING_SIZE, "%s%s-%016" PRIx64, pending_prefixes[kind], queue, random);
}

static bool parse_pending_rest(const char *rest, char ret_queue[MQ_QUEUE_NAME_SIZE])
{
    uint64_t random;
    const size_t length = strlen(rest);
    if (length <= WORD_DIGITS + 1 || length - WORD_DIGITS - 1 > PART_MOST)
        return false;
    const char *dash = rest + length - WORD_DIGITS - 1;
    char queue[MQ_QUEUE_NAME_SIZE] = "";
    memcpy(queue, rest, (size_t)(dash - rest));
    if (*dash != '-' || !parse_hex(dash + 1, WORD_DIGITS, &random) || !mq_queue_name_is_valid(queue))
        return false;
    memcpy(ret_queue, queue, sizeof queue);
    return true;
}

bool name_parse_pending(const char *text, enum name_pending *ret_kind, char ret_queue[MQ_QUEUE_NAME_SIZE])
{
    for (int kind = NAME_NEW; kind <= NAME_EMPTIED; kind++) {
        const size_t length = strlen(pending_prefixes[kind]);
        if (strncmp(text, pending_prefixes[kind], length) != 0)
            continue;
        *ret_kind = (enum name_pending)kind;
        return parse_pending_rest(text + length, ret_queue);
    }
    return false;
}
