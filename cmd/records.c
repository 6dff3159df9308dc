/* Records of a stream. */
#include "records.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* What a record takes for which there is room at first, and how much room there is then at least and at most: enough
   for all that is sent at once where it is to be durable, 16 batches (PUBLISH_MOST in lib/publish.h) of 256. */
#define USUAL ((size_t)1280)
#define FIRST_LEAST ((size_t)512 << 10)
#define FIRST_MOST ((size_t)6 << 20)

static size_t first_room(const struct records *records)
{
    const size_t room = records->together < FIRST_MOST / USUAL ? records->together * USUAL : FIRST_MOST;
    return room > FIRST_LEAST ? room : FIRST_LEAST;
}

/* Make room for more: first what was consumed, then new memory. One byte stays free for the last record's NUL. */
static int make_room(struct records *records)
{
    const bool has_room = records->end + 1 < records->room;
    if (records->kept < records->start)
        return has_room ? 0 : -EAGAIN;
    if (records->start > 0) {
        memmove(records->buffer, records->buffer + records->start, records->end - records->start);
        records->end -= records->start;
        records->seen -= records->start;
        records->start = records->kept = 0;
    }
    if (records->end + 1 < records->room)
        return 0;
    if (records->end > RECORDS_MOST)
        return -EMSGSIZE;
    const size_t room = records->room ? records->room * 2 : first_room(records);
    char *buffer = realloc(records->buffer, room);
    if (!buffer)
        return -ENOMEM;
    records->buffer = buffer;
    records->room = room;
    return 0;
}

/* Milliseconds; for ever if negative. */
static int wait_for_input(const struct records *records, int milliseconds)
{
    struct pollfd input = {.fd = records->fd, .events = POLLIN};
    return poll(&input, 1, milliseconds) == 0 ? -ETIMEDOUT : 0;
}

static int read_more(struct records *records, int milliseconds)
{
    int error = make_room(records);
    if (!error && milliseconds >= 0)
        error = wait_for_input(records, milliseconds);
    if (error)
        return error;
    ssize_t got;
    while ((got = read(records->fd, records->buffer + records->end, records->room - records->end - 1)) < 0) {
        if (errno == EAGAIN) /* others have made it so */
            (void)wait_for_input(records, -1);
        else if (errno != EINTR)
            return -errno;
    }
    records->ended = got == 0;
    records->end += (size_t)got;
    return 0;
}

static int take(struct records *records, size_t end, char **ret_record, size_t *ret_size)
{
    *ret_record = records->buffer + records->start;
    *ret_size = end - records->start;
    records->buffer[end] = '\0';
    records->start = records->seen = end < records->end ? end + 1 : end;
    return *ret_size > RECORDS_MOST ? -EMSGSIZE : 1;
}

int records_at_hand(struct records *records, char **ret_record, size_t *ret_size)
{
    const size_t unseen = records->end - records->seen;
    const char *separator = unseen ? memchr(records->buffer + records->seen, records->separator, unseen) : NULL;
    if (separator)
        return take(records, (size_t)(separator - records->buffer), ret_record, ret_size);
    records->seen = records->end;
    return 0;
}

int records_next(struct records *records, int milliseconds, char **ret_record, size_t *ret_size)
{
    for (;;) {
        const int got = records_at_hand(records, ret_record, ret_size);
        if (got != 0)
            return got;
        if (records->ended)
            return records->start < records->end ? take(records, records->end, ret_record, ret_size) : 0;
        const int error = read_more(records, milliseconds);
        if (error)
            return error;
    }
}

void records_let_go(struct records *records)
{
    records->kept = records->start;
}

void records_release(struct records *records)
{
    free(records->buffer);
}
