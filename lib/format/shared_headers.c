/* Messages that share their headers. */
#include "format/shared_headers.h"

#include <errno.h>
#include <string.h>

#include "base/io.h"
#include "base/put.h"
#include "format/headers.h"
#include "format/log_entry.h"

#define NAME "Mq-Separator"

static const struct {
    char separator;
    const char *said;
} separators[] = {{'\n', "newline"}, {'\0', "null"}};

#define SEPARATORS (sizeof separators / sizeof *separators)

bool shared_headers_begins(const char *text, size_t size)
{
    const size_t count = log_entry_skip_count(text, size);
    return size - count >= sizeof NAME && memcmp(text + count, NAME ":", sizeof NAME) == 0;
}

int shared_headers_read(int file, char **ret_text, size_t *ret_size)
{
    char text[LOG_ENTRY_COUNT_LINE + sizeof NAME];
    const ssize_t got = io_read_at(file, text, sizeof text, 0);
    if (got < 0 || !shared_headers_begins(text, (size_t)got))
        return got < 0 ? (int)got : 0;
    const int error = headers_read(file, 0, ret_text, ret_size);
    return error ? error : 1;
}

static bool parse_separator(const char *said, char *ret_separator)
{
    for (size_t i = 0; i < SEPARATORS; i++)
        if (strcmp(separators[i].said, said) == 0) {
            *ret_separator = separators[i].separator;
            return true;
        }
    return false;
}

/* The header of the separator comes first, and is no header of any message. */
static bool take_separator(const struct headers *headers, struct shared_headers *shared)
{
    char *const said = headers->pairs + sizeof NAME;
    shared->headers = said + strlen(said) + 1;
    return parse_separator(said, &shared->separator);
}

int shared_headers_take(char *text, size_t size, struct shared_headers *ret_shared)
{
    struct headers headers;
    struct shared_headers shared;
    uint64_t length;
    if (!shared_headers_begins(text, size) || headers_take(text, size, &headers) < 0 ||
        !take_separator(&headers, &shared))
        return -EBADMSG;
    if (!headers.id || !id_is_in_series(headers.id) || !headers_parse_length(&headers, &length) ||
        headers.length + strlen(headers.length) + 1 != headers.pairs + headers.size)
        return -EBADMSG;
    shared.id = headers.id;
    shared.length = headers.length;
    memcpy(shared.first_id, headers.id, sizeof shared.first_id);
    shared.begin = headers.used;
    shared.end = headers.used + length;
    *ret_shared = shared;
    return shared.end < length ? -EBADMSG : 0;
}

char *shared_headers_put_separator(char *at, char separator)
{
    at = put_text(at, NAME ": ");
    for (size_t i = 0; i < SEPARATORS; i++)
        if (separators[i].separator == separator)
            at = put_text(at, separators[i].said);
    *at++ = '\n';
    return at;
}

static bool may_have(const struct shared_headers *shared, const char *id, bool first)
{
    const uint64_t steps = id_distance(shared->first_id, id);
    return first ? steps == 0 : steps < NAME_COUNT_MAX;
}

bool shared_headers_find(const struct shared_headers *shared, uint64_t file_size, uint64_t offset, const char *id,
                         uint64_t *ret_begin)
{
    const uint64_t begin = offset ? offset : shared->begin;
    if (shared->end != file_size || begin < shared->begin || !may_have(shared, id, offset == 0))
        return false;
    *ret_begin = begin;
    return true;
}

/* The length of one body has no more digits than the length of all bodies, so it fits into their place. */
void shared_headers_show(const struct shared_headers *shared, const char *id, uint64_t body_size, mq_message *message)
{
    memcpy(shared->id, id, ID_UUID_SIZE);
    char *const end = put_decimal(shared->length, body_size);
    *end = '\0';
    message->headers = shared->headers;
    message->headers_size = (size_t)(end + 1 - shared->headers);
}
