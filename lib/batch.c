/* Batches: several messages in one file. */
#include "batch.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "decode.h"
#include "fs.h"

/* Most headers are read at once. */
#define FIRST_READ 1024

static int read_extent(int file, uint64_t offset, char ret_id[MQ_ID_SIZE], uint64_t *ret_length)
{
    char first[FIRST_READ], *text = first;
    int error = -EBADMSG;
    for (size_t room = sizeof first; error == -EBADMSG && room <= MESSAGE_HEADERS_MAX * 4; room *= 4) {
        if (room > sizeof first) {
            char *more = realloc(text == first ? NULL : text, room);
            if (!more) {
                error = -ENOMEM;
                break;
            }
            text = more;
        }
        size_t headers;
        uint64_t body;
        const ssize_t got = fs_read_at(file, text, room, offset);
        error = got < 0 ? (int)got : decode_extent(text, (size_t)got, ret_id, &headers, &body);
        if (!error)
            *ret_length = headers + body;
        if (got < (ssize_t)room)
            break;
    }
    if (text != first)
        free(text);
    return error;
}

int batch_read_part(int file, uint64_t offset, struct batch_part *ret_part)
{
    struct batch_part part = {.offset = (uint32_t)offset};
    struct stat status;
    uint64_t length = 0;
    if (fstat(file, &status) < 0)
        return -errno;
    const int error = read_extent(file, offset, part.id, &length);
    if (error)
        return error;
    if (offset > NAME_BYTES_MAX || length > NAME_BYTES_MAX || offset + length > (uint64_t)status.st_size)
        return -EBADMSG;
    part.length = (uint32_t)length;
    *ret_part = part;
    return 0;
}

struct name batch_first(const struct name *name, const struct batch_part *first)
{
    struct name one = *name;
    strcpy(one.id, first->id);
    one.offset = first->offset;
    one.length = name->count > 1 ? first->length : name->length;
    one.count = 1;
    one.split = false;
    return one;
}

struct name batch_rest(const struct name *name, const struct batch_part *next)
{
    struct name rest = *name;
    strcpy(rest.id, next->id);
    rest.position++;
    rest.count--;
    if (rest.length)
        rest.length -= next->offset - rest.offset;
    rest.offset = next->offset;
    return rest;
}

int batch_walk(int file, const struct name *name, int (*each)(void *context, const struct name *one), void *context)
{
    struct name rest = *name;
    struct batch_part part = {0};
    int stop = batch_read_part(file, rest.offset, &part);
    while (!stop) {
        const struct name one = batch_first(&rest, &part);
        stop = each(context, &one);
        if (stop || rest.count == 1)
            break;
        stop = batch_read_part(file, part.offset + part.length, &part);
        if (!stop)
            rest = batch_rest(&rest, &part);
    }
    return stop;
}
