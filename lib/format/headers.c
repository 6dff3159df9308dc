/* Header lines. */
#include "format/headers.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/grow.h"
#include "base/io.h"
#include "base/units.h"
#include "format/message.h"

/* Bytes of the first read: most messages fit as a whole. */
#define FIRST_READ 8192

static const char id_name[] = "Id", time_name[] = "Timestamp", length_name[] = "Content-Length";

#define IS(name, length, wanted) ((length) == sizeof(wanted) - 1 && memcmp(name, wanted, sizeof(wanted) - 1) == 0)

/* The same without regard to case. The form that the library writes is tried first. */
#define NAMES(name, length, wanted)                                                                                    \
    ((length) == sizeof(wanted) - 1 &&                                                                                 \
     (memcmp(name, wanted, sizeof(wanted) - 1) == 0 || strncasecmp(name, wanted, sizeof(wanted) - 1) == 0))

/* The names that every message has need no look at each character. */
static bool is_header_name(const char *name, size_t length)
{
    return IS(name, length, id_name) || IS(name, length, time_name) || IS(name, length, length_name) ||
           message_is_header_name(name, length);
}

/* If a name occurs twice, the first one counts. */
static void note_own_header(struct headers *headers, const char *name, size_t length, char *value)
{
    if (!headers->id && NAMES(name, length, id_name))
        headers->id = value;
    if (!headers->length && NAMES(name, length, length_name))
        headers->length = value;
}

/* Write the line "Name: value\n" as "Name\0value\0" to `to`, which lies at the line or before it. Returns the end of
   what was written; NULL: the line is malformed. */
static char *take_line(char *to, char *line, size_t length, struct headers *headers)
{
    const char *const colon = memchr(line, ':', length), *const end = line + length;
    if (!colon || !is_header_name(line, (size_t)(colon - line)))
        return NULL;
    const size_t name_length = (size_t)(colon - line);
    const char *value = colon + 1;
    while (value < end && *value == ' ')
        value++;
    const size_t value_length = (size_t)(end - value);
    if (!message_is_one_line(value, value_length))
        return NULL;
    char *const name = memmove(to, line, name_length);
    to[name_length] = '\0';
    to = memmove(to + name_length + 1, value, value_length);
    to[value_length] = '\0';
    note_own_header(headers, name, name_length, to);
    return to + value_length + 1;
}

/* The first line of an entry of a log may say how many messages it holds, and is no header of any of them. */
static void leave_out_count(struct headers *headers)
{
    static const char name[] = "Mq-Count";
    if (headers->size < sizeof name || memcmp(headers->pairs, name, sizeof name) != 0)
        return;
    const size_t pair = sizeof name + strlen(headers->pairs + sizeof name) + 1;
    headers->pairs += pair;
    headers->size -= pair;
}

int headers_take(char *text, size_t size, struct headers *ret_headers)
{
    struct headers headers = {.pairs = text};
    char *to = text, *line = text;
    for (char *end; to && (end = memchr(line, '\n', size - (size_t)(line - text))); line = end + 1) {
        if (end == line) {
            headers.size = (size_t)(to - text);
            headers.used = (size_t)(line + 1 - text);
            leave_out_count(&headers);
            *ret_headers = headers;
            return 0;
        }
        to = take_line(to, line, (size_t)(end - line), &headers);
    }
    return -EBADMSG;
}

bool headers_parse_length(const struct headers *headers, uint64_t *ret_length)
{
    return headers->length && units_parse_number(headers->length, UINT64_MAX, ret_length);
}

/* ---- files ------------------------------------------------------------------------ */

static bool has_blank_line(const char *text, size_t size)
{
    return (size > 0 && text[0] == '\n') || memmem(text, size, "\n\n", 2) != NULL;
}

int headers_read(int file, uint64_t offset, char **ret_text, size_t *ret_size)
{
    size_t have = 0, room = 0;
    char *text = NULL;
    for (size_t most = FIRST_READ; most <= MESSAGE_HEADERS_MAX * 4; most *= 4) {
        const ssize_t got = GROW(text, most, room) ? io_read_at(file, text + have, most - have, offset + have)
                                                   : -ENOMEM;
        if (got < 0) {
            free(text);
            return (int)got;
        }
        have += (size_t)got;
        if (has_blank_line(text, have)) {
            *ret_text = text;
            *ret_size = have;
            return 0;
        }
        if (have < most)
            break;
    }
    free(text);
    return -EBADMSG;
}

/* ---- names ------------------------------------------------------------------------ */

bool headers_are_names(const char *text, size_t size)
{
    if (strlen(text) >= size)
        return false;
    for (;;) {
        const size_t length = strcspn(text, ", ");
        if (!message_is_header_name(text, length))
            return false;
        text += length + strspn(text + length, " ");
        if (*text != ',')
            return !*text;
        text += 1 + strspn(text + 1, " ");
    }
}
