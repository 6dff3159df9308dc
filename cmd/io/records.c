/* Records of a stream. */
#include "io/records.h"

#include "base/grow.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* What a record takes for which there is room at first, and how much room there is then at least and at most: enough
   for all that is sent at once where it is to be durable, 16 batches (PUBLISH_MOST in lib/publish.h) of 256. */
#define USUAL ((size_t)1280)
#define FIRST_LEAST ((size_t)512 << 10)
#define FIRST_MOST ((size_t)6 << 20)

#define PIPE_USUAL (64 << 10)
#define PIPE_WIDE (512 << 10)

/* What is read ahead at a time: each time the other thread must be woken. */
#define BLOCK ((size_t)2 << 20)

static size_t first_room(const struct records *records)
{
    const size_t room = records->together < FIRST_MOST / USUAL ? records->together * USUAL : FIRST_MOST;
    return room > FIRST_LEAST ? room : FIRST_LEAST;
}

/* Have what is left at the front of this memory. */
static void move_to(struct records *records, char *memory)
{
    const size_t left = records->end - records->start;
    if (records->buffer)
        memmove(memory, records->buffer + records->start, left);
    records->buffer = memory;
    records->seen -= records->start;
    records->start = records->kept = 0;
    records->end = left;
}

/* The same of our own memory, of which there is at least so much then. */
static int gather(struct records *records, size_t wanted)
{
    const bool is_ours = records->buffer == records->memory;
    const size_t least = first_room(records);
    if (!GROW(records->memory, wanted > least ? wanted : least, records->room))
        return -ENOMEM;
    if (is_ours && records->buffer)
        records->buffer = records->memory;
    move_to(records, records->memory);
    return 0;
}

/* Make room for more: first what was consumed, then new memory. One byte stays free behind the last record. */
static int make_room(struct records *records)
{
    const size_t left = records->end - records->start;
    if (records->kept < records->start)
        return records->end + 1 < records->room ? 0 : -EAGAIN;
    return left > RECORDS_MOST ? -EMSGSIZE : gather(records, left + 2);
}

/* Milliseconds; for ever if negative. */
static int wait_for_input(const struct records *records, int milliseconds)
{
    struct pollfd input = {.fd = records->fd, .events = POLLIN};
    return poll(&input, 1, milliseconds) == 0 ? -ETIMEDOUT : 0;
}

/* Whoever fills a pipe of the usual size waits for us, and we for him, every 64 KiB: half of the time. It need not
   succeed. */
static void widen_pipe(struct records *records, size_t got)
{
    if (records->is_wide || got < PIPE_USUAL)
        return;
    (void)fcntl(records->fd, F_SETPIPE_SZ, PIPE_WIDE);
    records->is_wide = true;
}

static int read_on(struct records *records, int milliseconds)
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
    widen_pipe(records, (size_t)got);
    records->ended = got == 0;
    records->end += (size_t)got;
    return 0;
}

/* The next block, with what is left of the one before put before it; or both in memory of our own, if that is much. */
static int take_block(struct records *records)
{
    char *block;
    const size_t left = records->end - records->start;
    if (records->kept < records->start)
        return -EAGAIN;
    if (left > RECORDS_MOST)
        return -EMSGSIZE;
    const ssize_t got = read_ahead_next(records->ahead, &block);
    records->ended = got == 0;
    if (got <= 0)
        return (int)got;
    if (left > AHEAD_FRONT) {
        const int error = gather(records, left + (size_t)got + 1);
        if (error)
            return error;
        memcpy(records->memory + left, block, (size_t)got);
    } else {
        move_to(records, block - left);
    }
    records->end += (size_t)got;
    read_ahead_reuse(records->ahead);
    return 0;
}

/* A file is read ahead, unless so much is used at a time that most of that time is a wait for the disk. */
static int read_more(struct records *records, int milliseconds)
{
    if (!records->buffer && records->together > 0 && first_room(records) == FIRST_LEAST)
        records->ahead = read_ahead_start(records->fd, BLOCK);
    return records->ahead ? take_block(records) : read_on(records, milliseconds);
}

static int take(struct records *records, size_t end, char **ret_record, size_t *ret_size)
{
    *ret_record = records->buffer + records->start;
    *ret_size = end - records->start;
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
    read_ahead_stop(records->ahead);
    free(records->memory);
}
