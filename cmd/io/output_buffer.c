/* Messages for standard output. */
#include "io/output_buffer.h"

#include "base/grow.h"
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/signals.h"

#define ROOM ((size_t)64 << 10) /* the usual size of a pipe */

/* Pauses between looks at whether the pipe was read, in microseconds. The kernel has no event for it. */
#define PAUSE_FIRST INT64_C(20)
#define PAUSE_MOST INT64_C(20000)

struct output_buffer {
    const struct output_patience *patience;
    uint64_t out;   /* bytes written since output_buffer_begin */
    uint64_t begun; /* where the message that is being added begins, counted like `out` */
    uint64_t *ends; /* where each message ends, counted like `out` */
    size_t ends_room, ended, written;
    int signal; /* the signal that came while a message was written in part; 0: none */
    size_t used;
    char buffer[ROOM];
};

struct output_buffer *output_buffer_new(const struct output_patience *patience)
{
    struct output_buffer *output_buffer = cli_must(malloc(sizeof *output_buffer));
    output_buffer->patience = patience;
    output_buffer->signal = 0;
    output_buffer->ends = NULL;
    output_buffer->ends_room = 0;
    output_buffer_begin(output_buffer, 0);
    return output_buffer;
}

void output_buffer_free(struct output_buffer *output_buffer)
{
    free(output_buffer->ends);
    free(output_buffer);
}

void output_buffer_begin(struct output_buffer *output_buffer, size_t count)
{
    if (!GROW(output_buffer->ends, count, output_buffer->ends_room))
        cli_must(NULL);
    output_buffer->out = output_buffer->begun = 0;
    output_buffer->ended = output_buffer->written = output_buffer->used = 0;
}

/* ---- writing --------------------------------------------------------------------- */

static void count_written(struct output_buffer *output_buffer, uint64_t bytes)
{
    output_buffer->written = 0;
    while (output_buffer->written < output_buffer->ended && output_buffer->ends[output_buffer->written] <= bytes)
        output_buffer->written++;
}

/* Write the gathered bytes from `*at` to `to`, and move `*at` behind those that were written. */
static int write_part(struct output_buffer *output_buffer, size_t *at, size_t to)
{
    size_t written = 0;
    const int error = to > *at ? output_write(output_buffer->buffer + *at, to - *at, output_buffer->patience, &written)
                               : 0;
    *at += written;
    output_buffer->out += written;
    count_written(output_buffer, output_buffer->out);
    return error;
}

bool output_buffer_is_torn(const struct output_buffer *output_buffer)
{
    size_t whole = output_buffer->ended; /* may be more than `written`, which does not count what the reader left */
    while (whole > 0 && output_buffer->ends[whole - 1] > output_buffer->out)
        whole--;
    return output_buffer->out > (whole > 0 ? output_buffer->ends[whole - 1] : 0);
}

/* A signal came while a message was written in part. The reader could not tell the part from a whole message, so write
   up to the end of the message. If the end is not gathered yet, the caller goes on adding to it. */
static int finish(struct output_buffer *output_buffer, size_t at)
{
    const uint64_t begin = output_buffer->out - at;
    const bool is_end_here = output_buffer->written < output_buffer->ended;
    const size_t to = is_end_here ? (size_t)(output_buffer->ends[output_buffer->written] - begin) : output_buffer->used;
    output_buffer->signal = signals_take(output_buffer->patience->cancel_fd);
    const int error = write_part(output_buffer, &at, to);
    return !error && is_end_here ? -ECANCELED : error;
}

/* Bytes that were not written are dropped. The caller gives their messages back. */
int output_buffer_flush(struct output_buffer *output_buffer)
{
    size_t at = 0;
    int error = write_part(output_buffer, &at, output_buffer->used);
    if (error == -ECANCELED && !output_buffer->signal && output_buffer_is_torn(output_buffer))
        error = finish(output_buffer, at);
    output_buffer->used = 0;
    return error;
}

int output_buffer_signal(const struct output_buffer *output_buffer)
{
    return output_buffer->signal;
}

/* ---- what a pipe's reader has taken ------------------------------------------------ */

bool output_buffer_is_pipe(void)
{
    struct stat status;
    return fstat(STDOUT_FILENO, &status) == 0 && S_ISFIFO(status.st_mode);
}

/* The bytes that lie in the pipe, which are taken for this program's own. The kernel counts them also after the reader
   is gone. */
static uint64_t unread(void)
{
    int bytes = 0;
    return ioctl(STDOUT_FILENO, FIONREAD, &bytes) == 0 && bytes > 0 ? (uint64_t)bytes : 0;
}

void output_buffer_discount_unread(struct output_buffer *output_buffer)
{
    const uint64_t left = output_buffer_is_pipe() ? unread() : 0;
    count_written(output_buffer, output_buffer->out > left ? output_buffer->out - left : 0);
}

/* Sleep for a while. 0, or what ends the wait: the reader is gone, or a second signal came. */
static int wait_a_while(struct output_buffer *output_buffer, int64_t microseconds)
{
    const struct output_patience *patience = output_buffer->patience;
    const struct timespec pause = {.tv_nsec = microseconds * 1000};
    struct pollfd both[2] = {{.fd = STDOUT_FILENO}, {.fd = patience->cancel_fd, .events = POLLIN}};
    if (ppoll(both, 2, &pause, NULL) < 0 && errno != EINTR)
        return -errno;
    if (both[0].revents & POLLERR)
        return -EPIPE;
    if (both[1].revents && output_buffer->signal)
        return -ECANCELED;
    if (both[1].revents)
        output_buffer->signal = signals_take(patience->cancel_fd);
    patience->wait(patience->context);
    return 0;
}

int output_buffer_wait_until_read(struct output_buffer *output_buffer)
{
    int error = 0;
    for (int64_t pause = PAUSE_FIRST; !error && unread() > 0; pause = pause * 2 < PAUSE_MOST ? pause * 2 : PAUSE_MOST)
        error = wait_a_while(output_buffer, pause);
    if (error)
        output_buffer_discount_unread(output_buffer);
    return !error && output_buffer->signal ? -ECANCELED : error;
}

/* ---- gathering ------------------------------------------------------------------- */

char *output_buffer_room(struct output_buffer *output_buffer, size_t *ret_size)
{
    *ret_size = ROOM - output_buffer->used;
    return output_buffer->buffer + output_buffer->used;
}

int output_buffer_added(struct output_buffer *output_buffer, size_t size)
{
    output_buffer->used += size;
    return output_buffer->used == ROOM ? output_buffer_flush(output_buffer) : 0;
}

int output_buffer_add(struct output_buffer *output_buffer, const void *data, size_t size)
{
    int error = 0;
    for (const char *at = data; size > 0 && !error;) {
        size_t part;
        char *room = output_buffer_room(output_buffer, &part);
        part = size < part ? size : part;
        memcpy(room, at, part);
        at += part;
        size -= part;
        error = output_buffer_added(output_buffer, part);
    }
    return error;
}

int output_buffer_end_message(struct output_buffer *output_buffer)
{
    output_buffer->begun = output_buffer->out + output_buffer->used;
    output_buffer->ends[output_buffer->ended++] = output_buffer->begun;
    if (!output_buffer->signal)
        return 0;
    const int error = output_buffer_flush(output_buffer);
    return error ? error : -ECANCELED;
}

bool output_buffer_drop_message(struct output_buffer *output_buffer)
{
    if (output_buffer->begun < output_buffer->out)
        return false;
    output_buffer->used = (size_t)(output_buffer->begun - output_buffer->out);
    return true;
}

size_t output_buffer_written(const struct output_buffer *output_buffer)
{
    return output_buffer->written;
}
