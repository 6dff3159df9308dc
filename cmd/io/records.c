/* Records of a stream. */
#include "io/records.h"

#include "base/grow.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The first buffer has room for `together` records of the usual size, within these limits. The upper limit holds all
   that a durable send writes as one unit: 16 batches (PUBLISH_MOST in lib/lifecycle/publish.h) of 256. */
#define USUAL ((size_t)1280)
#define FIRST_LEAST ((size_t)512 << 10)
#define FIRST_MOST ((size_t)6 << 20)

#define PIPE_USUAL (64 << 10)
#define PIPE_WIDE (512 << 10)

/* Bytes that are read ahead at a time. For each block one thread must wake the other. */
#define BLOCK ((size_t)2 << 20)

static size_t first_room(const struct records *records)
{
    const size_t room = records->together < FIRST_MOST / USUAL ? records->together * USUAL : FIRST_MOST;
    return room > FIRST_LEAST ? room : FIRST_LEAST;
}

/* Move the bytes that are left to the front of `memory`, which becomes the buffer. */
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

/* The same with this module's own memory, which is first enlarged to `wanted` bytes. */
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

/* Make room for more input: first use the room of consumed records, then allocate. One byte stays free behind the last
   record. */
static int make_room(struct records *records)
{
    const size_t left = records->end - records->start;
    if (records->kept < records->start)
        return records->end + 1 < records->room ? 0 : -EAGAIN;
    return left > RECORDS_MOST ? -EMSGSIZE : gather(records, left + 2);
}

/* Wait at most this many milliseconds; without limit if negative. */
static int wait_for_input(const struct records *records, int milliseconds)
{
    struct pollfd input = {.fd = records->fd, .events = POLLIN};
    return poll(&input, 1, milliseconds) == 0 ? -ETIMEDOUT : 0;
}

/* Enlarge a pipe that was found full. Through a pipe of the usual size, the writer and this program wait for each other
   every 64 KiB, half of the time. The kernel may refuse. */
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
        if (errno == EAGAIN) /* another process has made the descriptor non-blocking */
            (void)wait_for_input(records, -1);
        else if (errno != EINTR)
            return -errno;
    }
    widen_pipe(records, (size_t)got);
    records->ended = got == 0;
    records->end += (size_t)got;
    return 0;
}

/* Take the next block. What is left of the block before is copied in front of it; if that is too much, both are copied
   into this module's own memory. */
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

/* A file is read ahead, unless many records are used at a time: then they are sent durably, and most of the time is a
   wait for the disk. */
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
