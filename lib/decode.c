/* A message out of the bytes of its file. */
#include "decode.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "clock.h"
#include "fs.h"
#include "id.h"
#include "units.h"

/* Most messages are read whole with their headers at once. */
#define FIRST_READ 8192

/* ---- headers ---------------------------------------------------------------------- */

/* What the headers of every message say, as they lie among the others; NULL: they do not. */
struct own_headers {
    const char *id, *length;
};

static const char id_name[] = "Id", time_name[] = "Timestamp", length_name[] = "Content-Length";

#define IS(name, length, wanted) ((length) == sizeof(wanted) - 1 && memcmp(name, wanted, sizeof(wanted) - 1) == 0)

/* As the library writes it or not. */
#define NAMES(name, length, wanted)                                                                                    \
    ((length) == sizeof(wanted) - 1 &&                                                                                 \
     (memcmp(name, wanted, sizeof(wanted) - 1) == 0 || strncasecmp(name, wanted, sizeof(wanted) - 1) == 0))

/* Those of every message are known. */
static bool is_header_name(const char *name, size_t length)
{
    return IS(name, length, id_name) || IS(name, length, time_name) || IS(name, length, length_name) ||
           message_is_header_name(name, length);
}

/* The first of a name counts. */
static void note_own_header(struct own_headers *own, const char *name, size_t length, const char *value)
{
    if (!own->id && NAMES(name, length, id_name))
        own->id = value;
    if (!own->length && NAMES(name, length, length_name))
        own->length = value;
}

/* Turn "Name: value\n" in place into "Name\0value\0", moving it to `to`. The end of what was written, or NULL. */
static char *take_line(char *to, char *line, size_t length, struct own_headers *own)
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
    note_own_header(own, name, name_length, to);
    return to + value_length + 1;
}

/* Take the header lines up to the blank one. How many bytes they and it were, 0: malformed, or there is no blank
   line. */
static size_t take_headers(mq_message *message, char *text, size_t size, struct own_headers *ret_own)
{
    char *to = text, *line = text;
    *ret_own = (struct own_headers){NULL, NULL};
    for (char *end; to && (end = memchr(line, '\n', size - (size_t)(line - text))); line = end + 1) {
        if (end == line) {
            message->headers = text;
            message->headers_size = (size_t)(to - text);
            return (size_t)(line + 1 - text);
        }
        to = take_line(to, line, (size_t)(end - line), ret_own);
    }
    return 0;
}

static bool parse_length(const struct own_headers *own, uint64_t *ret_length)
{
    return own->length && units_parse_number(own->length, UINT64_MAX, ret_length);
}

size_t decode_text(char *text, size_t size, mq_message *message)
{
    struct own_headers own;
    uint64_t length;
    message->borrowed = true;
    const size_t used = take_headers(message, text, size, &own);
    if (used == 0 || !own.id || !id_is_valid(own.id) || !parse_length(&own, &length) || length > size - used)
        return 0;
    strcpy(message->name.id, own.id);
    message->ahead = text + used;
    message->ahead_size = message->body_size = length;
    message->body_read = 0;
    return used + length;
}

int decode_extent(char *text, size_t size, char ret_id[MQ_ID_SIZE], size_t *ret_headers_size, uint64_t *ret_body_size)
{
    mq_message message = {.borrowed = true};
    struct own_headers own;
    const size_t used = take_headers(&message, text, size, &own);
    if (used == 0 || !own.id || !id_is_valid(own.id) || !parse_length(&own, ret_body_size))
        return -EBADMSG;
    strcpy(ret_id, own.id);
    *ret_headers_size = used;
    return 0;
}

/* ---- files ------------------------------------------------------------------------ */

static bool has_blank_line(const char *text, size_t size)
{
    return (size > 0 && text[0] == '\n') || memmem(text, size, "\n\n", 2) != NULL;
}

/* Read from `offset` until the headers are whole. The text is the caller's to free. */
static int read_headers(int file, uint64_t offset, char **ret_text, size_t *ret_size)
{
    size_t have = 0;
    char *text = NULL;
    for (size_t room = FIRST_READ; room <= MESSAGE_HEADERS_MAX * 4; room *= 4) {
        char *more = realloc(text, room);
        const ssize_t got = more ? fs_read_at(file, more + have, room - have, offset + have) : -ENOMEM;
        text = more ? more : text;
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
        if (have < room)
            break;
    }
    free(text);
    return -EBADMSG;
}

/* The body is all that the name leaves for it, and what the headers say; a file of one message need not say it. */
static int set_body(mq_message *message, const struct own_headers *own, uint64_t size)
{
    uint64_t length;
    if (own->length && (!parse_length(own, &length) || length != size))
        return -EBADMSG;
    message->body_size = size;
    if (message->ahead_size > size)
        message->ahead_size = (size_t)size;
    return 0;
}

static int fill(mq_message *message, int file, char *text, size_t size)
{
    struct stat status;
    if (fstat(file, &status) < 0)
        return -errno;
    const struct name *name = &message->name;
    const uint64_t end = name->length ? (uint64_t)name->offset + name->length : (uint64_t)status.st_size;
    struct own_headers own;
    const size_t used = take_headers(message, text, size, &own);
    message->body_at = name->offset + used;
    if (used == 0 || !own.id || strcmp(own.id, name->id) != 0 || end < message->body_at ||
        end > (uint64_t)status.st_size)
        return -EBADMSG;
    message->sent_at = clock_of(&status.st_mtim);
    message->ahead = text + used;
    message->ahead_size = size - used;
    return set_body(message, &own, end - message->body_at);
}

int decode_file(int file, const struct name *name, mq_message **ret_message)
{
    char *text = NULL;
    size_t size = 0;
    mq_message *message;
    int error = read_headers(file, name->offset, &text, &size);
    if (error)
        return error;
    error = mq_message_new(&message);
    if (error) {
        free(text);
        return error;
    }
    message->name = *name;
    message->headers = text; /* and with them what was read of the body */
    error = fill(message, file, text, size);
    if (error) {
        mq_message_free(message);
        return error;
    }
    message->file = file;
    *ret_message = message;
    return 0;
}
