/* Batches: several messages in one file. */
#include "format/batch.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/fs_error.h"
#include "base/grow.h"
#include "base/id.h"
#include "base/io.h"
#include "format/decode.h"
#include "format/headers.h"
#include "format/shared_headers.h"

/* Bytes of the first read: most headers, and most bodies with their separators, fit. */
#define FIRST_READ 1024
#define NEXT_READ 16384

/* ---- a message that has headers of its own ------------------------------------------ */

static int read_extent(int file, uint64_t offset, char ret_id[MQ_ID_SIZE], uint64_t *ret_length)
{
    char first[FIRST_READ], *more = NULL;
    size_t more_room = 0;
    int error = -EBADMSG;
    for (size_t room = sizeof first; error == -EBADMSG && room <= MESSAGE_HEADERS_MAX * 4; room *= 4) {
        size_t headers;
        uint64_t body;
        if (room > sizeof first && !GROW(more, room, more_room)) {
            error = -ENOMEM;
            break;
        }
        char *text = more ? more : first;
        const ssize_t got = io_read_at(file, text, room, offset);
        error = got < 0 ? (int)got : decode_extent(text, (size_t)got, ret_id, &headers, &body);
        if (!error)
            *ret_length = body > NAME_BYTES_MAX ? body : headers + body;
        if (got < (ssize_t)room)
            break;
    }
    free(more);
    return error;
}

static int read_own(int file, uint64_t offset, struct batch_part *part, uint64_t *ret_length)
{
    part->offset = (uint32_t)offset;
    return read_extent(file, offset, part->id, ret_length);
}

/* ---- a message that shares its headers ---------------------------------------------- */

/* Find the first separator from `at` on. */
static int find_separator(int file, uint64_t at, char separator, uint64_t *ret_found)
{
    char text[NEXT_READ];
    ssize_t got = 0;
    const uint64_t most = at + NAME_BYTES_MAX; /* a sparse file may be endless */
    for (size_t room = FIRST_READ + 1; at < most && (got = io_read_at(file, text, room, at)) > 0; room = sizeof text) {
        const char *found = memchr(text, separator, (size_t)got);
        if (found) {
            *ret_found = at + (uint64_t)(found - text);
            return 0;
        }
        at += (uint64_t)got;
    }
    return got < 0 ? (int)got : -EBADMSG;
}

static int read_long_headers(int file, struct shared_headers *ret_shared)
{
    char *text;
    size_t size;
    int error = headers_read(file, 0, &text, &size);
    if (error)
        return error;
    error = shared_headers_take(text, size, ret_shared);
    free(text);
    return error;
}

/* Read the headers that the messages of a file share; the texts in `ret_shared` are not valid. 1: done; 0: the messages
   do not share headers; or a negative errno. */
static int read_shared_headers(int file, struct shared_headers *ret_shared)
{
    char first[FIRST_READ];
    const ssize_t got = io_read_at(file, first, sizeof first, 0);
    if (got < 0)
        return (int)got;
    if (!shared_headers_begins(first, (size_t)got))
        return 0;
    const int error = shared_headers_take(first, (size_t)got, ret_shared) == 0 ? 0
                                                                               : read_long_headers(file, ret_shared);
    return error ? error : 1;
}

/* The id of the first message is in the headers, and need not be given. */
static int read_sharing(int file, const struct shared_headers *shared, uint64_t file_size, uint64_t offset,
                        const char *id, struct batch_part *part, uint64_t *ret_length)
{
    uint64_t begin, separator;
    const char *const its_id = offset == 0 ? shared->first_id : id;
    if (!shared_headers_find(shared, file_size, offset, its_id, &begin))
        return -EBADMSG;
    const int error = find_separator(file, begin, shared->separator, &separator);
    if (error)
        return error;
    part->offset = (uint32_t)offset;
    strcpy(part->id, its_id);
    *ret_length = separator + 1 - offset;
    return 0;
}

/* ---- messages of either kind --------------------------------------------------------- */

int batch_read_part(int file, uint64_t offset, const char *id, struct batch_part *ret_part)
{
    struct batch_part part;
    struct shared_headers shared = {0};
    struct stat status;
    uint64_t length = 0;
    if (offset > NAME_BYTES_MAX)
        return -EBADMSG;
    const int is_shared = fstat(file, &status) < 0 ? fs_error() : read_shared_headers(file, &shared);
    if (is_shared < 0)
        return is_shared;
    const uint64_t file_size = (uint64_t)status.st_size;
    const int error = is_shared ? read_sharing(file, &shared, file_size, offset, id, &part, &length)
                                : read_own(file, offset, &part, &length);
    if (error)
        return error;
    if (length > NAME_BYTES_MAX || offset + length > file_size)
        return -EBADMSG;
    part.length = (uint32_t)length;
    *ret_part = part;
    return 0;
}

void batch_step_id(const char *id, int64_t steps, char ret_id[MQ_ID_SIZE])
{
    if (id_is_in_series(id))
        id_step(id, steps, ret_id);
    else
        strcpy(ret_id, id);
}

struct message_name batch_first(const struct message_name *name, const struct batch_part *first)
{
    struct message_name one = *name;
    strcpy(one.id, first->id);
    one.offset = first->offset;
    one.length = name->count > 1 ? first->length : name->length;
    one.count = 1;
    one.split = false;
    return one;
}

struct message_name batch_rest(const struct message_name *name, const struct batch_part *next)
{
    struct message_name rest = *name;
    strcpy(rest.id, next->id);
    rest.position++;
    rest.count--;
    if (rest.length)
        rest.length -= next->offset - rest.offset;
    rest.offset = next->offset;
    return rest;
}

int batch_walk(int file, const struct message_name *name, int (*each)(void *context, const struct message_name *one),
               void *context)
{
    struct message_name rest = *name;
    struct batch_part part = {0};
    char next[MQ_ID_SIZE];
    int stop = batch_read_part(file, rest.offset, rest.id, &part);
    while (!stop) {
        const struct message_name one = batch_first(&rest, &part);
        stop = each(context, &one);
        if (stop || rest.count == 1)
            break;
        batch_step_id(rest.id, 1, next);
        stop = batch_read_part(file, part.offset + part.length, next, &part);
        if (!stop)
            rest = batch_rest(&rest, &part);
    }
    return stop;
}
