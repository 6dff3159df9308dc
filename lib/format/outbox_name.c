/* The grammar of names in .outbox/. */
#include "format/outbox_name.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/put.h"
#include "format/spool_name.h"

#define ID_DIGITS 16
#define TIME_DIGITS 13
#define GROUP_MARK '+' /* in the name of a group, for the slash */

static const char *const endings[] = {[OUTBOX_COMMITTED] = ".committed", [OUTBOX_ABORTED] = ".aborted"};
static const char letters[] = {
    [OUTBOX_OUTPUT] = 'o',     [OUTBOX_DURABLE_OUTPUT] = 'O', [OUTBOX_INPUT] = 'i',
    [OUTBOX_INPUT_ONCE] = 'd', [OUTBOX_DEAD] = 'x',           [OUTBOX_FILE] = 'p',
    [OUTBOX_TARGET] = 't',     [OUTBOX_LOG_OUTPUT] = 'l',     [OUTBOX_DURABLE_LOG_OUTPUT] = 'L'};

static const char hex[] = "0123456789abcdef";

static bool is_hex(const char *text, size_t digits)
{
    return strspn(text, hex) >= digits;
}

static uint64_t hex_value(const char *text, size_t digits)
{
    uint64_t value = 0;
    for (size_t i = 0; i < digits; i++)
        value = value << 4 | (uint64_t)(strchr(hex, text[i]) - hex);
    return value;
}

/* ---- transactions ---------------------------------------------------------------------- */

bool outbox_is_id(const char *text)
{
    return is_hex(text, ID_DIGITS) && text[ID_DIGITS] == '\0';
}

void outbox_format_id(uint64_t random, char ret_id[MQ_TX_SIZE])
{
    *put_hex(ret_id, random, ID_DIGITS) = '\0';
}

void outbox_format(enum outbox_state state, const char *id, int64_t deadline, char ret_name[OUTBOX_NAME_SIZE])
{
    char *at = ret_name;
    if (state == OUTBOX_OPEN) {
        at = put_hex(at, (uint64_t)deadline, TIME_DIGITS);
        *at++ = '.';
    }
    at = put_text(at, id);
    *(state == OUTBOX_OPEN ? at : put_text(at, endings[state])) = '\0';
}

bool outbox_parse(const char *text, enum outbox_state *ret_state, char ret_id[MQ_TX_SIZE], int64_t *ret_deadline)
{
    const char *id = text;
    int64_t deadline = 0;
    if (is_hex(text, TIME_DIGITS) && text[TIME_DIGITS] == '.') {
        deadline = (int64_t)hex_value(text, TIME_DIGITS);
        id = text + TIME_DIGITS + 1;
    }
    if (!is_hex(id, ID_DIGITS))
        return false;
    const char *ending = id + ID_DIGITS;
    enum outbox_state state = OUTBOX_OPEN;
    if (id == text)
        state = strcmp(ending, endings[OUTBOX_COMMITTED]) == 0 ? OUTBOX_COMMITTED : OUTBOX_ABORTED;
    if (strcmp(ending, state == OUTBOX_OPEN ? "" : endings[state]) != 0)
        return false;
    memcpy(ret_id, id, ID_DIGITS);
    ret_id[ID_DIGITS] = '\0';
    *ret_state = state;
    *ret_deadline = deadline;
    return true;
}

/* ---- what is in them --------------------------------------------------------------------- */

static bool is_of_file(enum outbox_kind kind)
{
    return kind == OUTBOX_FILE || kind == OUTBOX_TARGET;
}

/* Whose grammar the name has. */
static enum mq_state state_of(enum outbox_kind kind)
{
    return kind == OUTBOX_DEAD ? MQ_DEAD : MQ_DELAYED;
}

int outbox_format_entry(const struct outbox_entry *entry, char ret_text[NAME_SIZE])
{
    char name[NAME_SIZE];
    int size;
    if (is_of_file(entry->kind)) {
        size = snprintf(ret_text, NAME_SIZE, "%c:%016" PRIx64, letters[entry->kind], entry->number);
    } else {
        name_format(state_of(entry->kind), &entry->name, name);
        size = snprintf(ret_text, NAME_SIZE, "%c:%s:%s", letters[entry->kind], entry->queue, name);
        char *slash = strchr(ret_text, '/');
        if (slash)
            *slash = GROUP_MARK;
        if (outbox_is_for_log(entry->kind) && size < NAME_SIZE)
            size += snprintf(ret_text + size, (size_t)(NAME_SIZE - size), ":%016" PRIx64, entry->end);
    }
    return size < NAME_SIZE ? 0 : -ENAMETOOLONG;
}

static bool parse_kind(char letter, enum outbox_kind *ret_kind)
{
    const char *found = memchr(letters, letter, sizeof letters);
    if (found)
        *ret_kind = (enum outbox_kind)(found - letters);
    return found;
}

/* Split the end off the text that is behind a log's name. */
static bool take_end(char *text, uint64_t *ret_end)
{
    char *colon = strrchr(text, ':');
    if (!colon || !outbox_is_id(colon + 1)) /* as many digits */
        return false;
    *colon = '\0';
    *ret_end = hex_value(colon + 1, ID_DIGITS);
    return *ret_end <= UINT64_MAX >> 1;
}

static bool parse_message(const char *text, struct outbox_entry *entry)
{
    char name[NAME_SIZE];
    const size_t length = strcspn(text, ":");
    if (text[length] != ':' || length >= sizeof entry->queue || strlen(text + length) > sizeof name)
        return false;
    memcpy(entry->queue, text, length);
    entry->queue[length] = '\0';
    char *mark = strchr(entry->queue, GROUP_MARK);
    if (mark)
        *mark = '/';
    strcpy(name, text + length + 1);
    if (outbox_is_for_log(entry->kind) && !take_end(name, &entry->end))
        return false;
    return name_is_queue(entry->queue) && name_parse(state_of(entry->kind), name, &entry->name);
}

bool outbox_parse_entry(const char *text, struct outbox_entry *ret_entry)
{
    if (!parse_kind(text[0], &ret_entry->kind) || text[1] != ':')
        return false;
    if (!is_of_file(ret_entry->kind))
        return parse_message(text + 2, ret_entry);
    if (!outbox_is_id(text + 2)) /* as many digits */
        return false;
    ret_entry->number = hex_value(text + 2, ID_DIGITS);
    return true;
}
