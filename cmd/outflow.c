/* Messages on their way to standard output. */
#include "outflow.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli.h"
#include "signals.h"

#define ROOM ((size_t)64 << 10) /* what a pipe takes at once */

/* Between looks at whether a pipe was read, in microseconds: nothing tells. */
#define PAUSE_FIRST INT64_C(20)
#define PAUSE_MOST INT64_C(20000)

struct outflow {
    const struct output_patience *patience;
    uint64_t out;   /* bytes since the count began */
    uint64_t begun; /* where the message begins that is on its way, counted in such bytes */
    uint64_t *ends; /* where each message ends, counted in such bytes */
    size_t ends_room, ended, written;
    int signal; /* that came in the midst of a message; 0: none */
    size_t used;
    char buffer[ROOM];
};

struct outflow *outflow_new(const struct output_patience *patience)
{
    struct outflow *outflow = cli_must(malloc(sizeof *outflow));
    outflow->patience = patience;
    outflow->signal = 0;
    outflow->ends = NULL;
    outflow->ends_room = 0;
    outflow_begin(outflow, 0);
    return outflow;
}

void outflow_free(struct outflow *outflow)
{
    free(outflow->ends);
    free(outflow);
}

void outflow_begin(struct outflow *outflow, size_t count)
{
    if (count > outflow->ends_room) {
        outflow->ends = cli_must(realloc(outflow->ends, count * sizeof *outflow->ends));
        outflow->ends_room = count;
    }
    outflow->out = outflow->begun = 0;
    outflow->ended = outflow->written = outflow->used = 0;
}

/* ---- writing --------------------------------------------------------------------- */

static void count_written(struct outflow *outflow, uint64_t bytes)
{
    outflow->written = 0;
    while (outflow->written < outflow->ended && outflow->ends[outflow->written] <= bytes)
        outflow->written++;
}

/* Write the gathered bytes from `*at` to `to`, and move `*at` behind what is out. */
static int write_part(struct outflow *outflow, size_t *at, size_t to)
{
    size_t written = 0;
    const int error = to > *at ? output_write(outflow->buffer + *at, to - *at, outflow->patience, &written) : 0;
    *at += written;
    outflow->out += written;
    count_written(outflow, outflow->out);
    return error;
}

bool outflow_is_torn(const struct outflow *outflow)
{
    size_t whole = outflow->ended; /* which may be more than those that count as written */
    while (whole > 0 && outflow->ends[whole - 1] > outflow->out)
        whole--;
    return outflow->out > (whole > 0 ? outflow->ends[whole - 1] : 0);
}

/* A signal came in the midst of a message, whose reader could not tell the part from a whole one: write up to its end.
   Where that is not gathered yet the caller goes on adding to it. */
static int finish(struct outflow *outflow, size_t at)
{
    const uint64_t begin = outflow->out - at;
    const bool is_end_here = outflow->written < outflow->ended;
    const size_t to = is_end_here ? (size_t)(outflow->ends[outflow->written] - begin) : outflow->used;
    outflow->signal = signals_take(outflow->patience->cancel_fd);
    const int error = write_part(outflow, &at, to);
    return !error && is_end_here ? -ECANCELED : error;
}

/* What was not written is dropped: its messages go back. */
int outflow_flush(struct outflow *outflow)
{
    size_t at = 0;
    int error = write_part(outflow, &at, outflow->used);
    if (error == -ECANCELED && !outflow->signal && outflow_is_torn(outflow))
        error = finish(outflow, at);
    outflow->used = 0;
    return error;
}

int outflow_signal(const struct outflow *outflow)
{
    return outflow->signal;
}

/* ---- what a pipe's reader has taken ------------------------------------------------ */

bool outflow_is_pipe(void)
{
    struct stat status;
    return fstat(STDOUT_FILENO, &status) == 0 && S_ISFIFO(status.st_mode);
}

/* Bytes that lie in the pipe: ours, as far as we know. They are still counted when the reader is gone. */
static uint64_t unread(void)
{
    int bytes = 0;
    return ioctl(STDOUT_FILENO, FIONREAD, &bytes) == 0 && bytes > 0 ? (uint64_t)bytes : 0;
}

void outflow_discount_unread(struct outflow *outflow)
{
    const uint64_t left = outflow_is_pipe() ? unread() : 0;
    count_written(outflow, outflow->out > left ? outflow->out - left : 0);
}

/* Sleep for a while. 0, or what ends the wait: the reader is gone, or a second signal came. */
static int wait_a_while(struct outflow *outflow, int64_t microseconds)
{
    const struct output_patience *patience = outflow->patience;
    const struct timespec pause = {.tv_nsec = microseconds * 1000};
    struct pollfd both[2] = {{.fd = STDOUT_FILENO}, {.fd = patience->cancel_fd, .events = POLLIN}};
    if (ppoll(both, 2, &pause, NULL) < 0 && errno != EINTR)
        return -errno;
    if (both[0].revents & POLLERR)
        return -EPIPE;
    if (both[1].revents && outflow->signal)
        return -ECANCELED;
    if (both[1].revents)
        outflow->signal = signals_take(patience->cancel_fd);
    patience->wait(patience->context);
    return 0;
}

int outflow_wait_until_read(struct outflow *outflow)
{
    int error = 0;
    for (int64_t pause = PAUSE_FIRST; !error && unread() > 0; pause = pause * 2 < PAUSE_MOST ? pause * 2 : PAUSE_MOST)
        error = wait_a_while(outflow, pause);
    if (error)
        outflow_discount_unread(outflow);
    return !error && outflow->signal ? -ECANCELED : error;
}

/* ---- gathering ------------------------------------------------------------------- */

char *outflow_room(struct outflow *outflow, size_t *ret_size)
{
    *ret_size = ROOM - outflow->used;
    return outflow->buffer + outflow->used;
}

int outflow_added(struct outflow *outflow, size_t size)
{
    outflow->used += size;
    return outflow->used == ROOM ? outflow_flush(outflow) : 0;
}

int outflow_add(struct outflow *outflow, const void *data, size_t size)
{
    int error = 0;
    for (const char *at = data; size > 0 && !error;) {
        size_t part;
        char *room = outflow_room(outflow, &part);
        part = size < part ? size : part;
        memcpy(room, at, part);
        at += part;
        size -= part;
        error = outflow_added(outflow, part);
    }
    return error;
}

int outflow_end_message(struct outflow *outflow)
{
    outflow->begun = outflow->out + outflow->used;
    outflow->ends[outflow->ended++] = outflow->begun;
    if (!outflow->signal)
        return 0;
    const int error = outflow_flush(outflow);
    return error ? error : -ECANCELED;
}

bool outflow_drop_message(struct outflow *outflow)
{
    if (outflow->begun < outflow->out)
        return false;
    outflow->used = (size_t)(outflow->begun - outflow->out);
    return true;
}

size_t outflow_written(const struct outflow *outflow)
{
    return outflow->written;
}
