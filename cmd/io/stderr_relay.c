/* A command's standard error: it is passed on, and its end is kept. */
#include "io/stderr_relay.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

/* Pieces that are passed on for one command before the next command has its turn. */
#define PIECES 16

int stderr_relay_open(struct stderr_relay *relay, int *ret_end)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) < 0)
        return -errno;
    relay->pipe = ends[0];
    relay->rest = -1;
    relay->ended = false;
    relay->seen = 0;
    *ret_end = ends[1];
    if (fcntl(ends[0], F_SETFL, O_NONBLOCK) == 0)
        return 0;
    const int error = -errno;
    stderr_relay_close(relay);
    close(ends[1]);
    return error;
}

void stderr_relay_close(struct stderr_relay *relay)
{
    if (relay->pipe >= 0)
        close(relay->pipe);
    relay->pipe = -1;
}

/* Whether a write of PIPE_BUF bytes would not block. */
static bool is_writable(void)
{
    struct pollfd out = {.fd = STDERR_FILENO, .events = POLLOUT};
    return poll(&out, 1, 0) != 0;
}

/* Whether a process that the command left behind still has the pipe open. It would die of SIGPIPE if the pipe were
   closed. */
static bool has_writers(int pipe)
{
    struct pollfd end = {.fd = pipe};
    return poll(&end, 1, 0) == 0;
}

static void keep(struct stderr_relay *relay, const char *bytes, size_t size)
{
    const size_t at = relay->seen % RELAY_TAIL, first = size < RELAY_TAIL - at ? size : RELAY_TAIL - at;
    memcpy(relay->tail + at, bytes, first);
    memcpy(relay->tail, bytes + first, size - first);
    relay->seen += size;
}

/* If standard error cannot be written any more, the bytes are dropped: the work of the command goes on. */
static void pass_on(const char *bytes, size_t size)
{
    while (size > 0) {
        const ssize_t written = write(STDERR_FILENO, bytes, size);
        if (written < 0 && errno != EINTR)
            return;
        bytes += written > 0 ? written : 0;
        size -= written > 0 ? (size_t)written : 0;
    }
}

/* Read a piece and pass it on. False: there is nothing to read. */
static bool move_piece(struct stderr_relay *relay, enum stderr_relay_state *ret_state)
{
    char bytes[PIPE_BUF];
    const size_t most = relay->ended && relay->left < sizeof bytes ? relay->left : sizeof bytes;
    const ssize_t got = most > 0 ? read(relay->pipe, bytes, most) : 0;
    if (got <= 0) {
        *ret_state = got < 0 && errno == EAGAIN && !relay->ended ? RELAY_MORE : RELAY_DONE;
        return false;
    }
    keep(relay, bytes, (size_t)got);
    pass_on(bytes, (size_t)got);
    relay->left -= relay->ended ? (size_t)got : 0;
    return true;
}

enum stderr_relay_state stderr_relay_pump(struct stderr_relay *relay)
{
    enum stderr_relay_state state = RELAY_MORE;
    if (relay->pipe < 0)
        return RELAY_DONE;
    for (int pieces = 0; relay->ended || pieces < PIECES; pieces++) {
        if (!is_writable())
            return RELAY_HELD;
        if (!move_piece(relay, &state))
            break;
    }
    if (state == RELAY_DONE && relay->ended && has_writers(relay->pipe)) {
        relay->rest = relay->pipe;
        relay->pipe = -1;
    }
    if (state == RELAY_DONE)
        stderr_relay_close(relay);
    return state;
}

enum stderr_relay_state stderr_relay_pass_rest(int pipe)
{
    for (int pieces = 0; pieces < PIECES; pieces++) {
        char bytes[PIPE_BUF];
        if (!is_writable())
            return RELAY_HELD;
        const ssize_t got = read(pipe, bytes, sizeof bytes);
        if (got <= 0)
            return got < 0 && (errno == EAGAIN || errno == EINTR) ? RELAY_MORE : RELAY_DONE;
        pass_on(bytes, (size_t)got);
    }
    return RELAY_MORE;
}

enum stderr_relay_state stderr_relay_finish(struct stderr_relay *relay)
{
    int left = 0;
    if (relay->pipe < 0)
        return RELAY_DONE;
    (void)ioctl(relay->pipe, FIONREAD, &left);
    relay->ended = true;
    relay->left = left > 0 ? (size_t)left : 0;
    return stderr_relay_pump(relay);
}

size_t stderr_relay_tail(const struct stderr_relay *relay, char ret_bytes[RELAY_TAIL])
{
    if (relay->seen <= RELAY_TAIL) {
        memcpy(ret_bytes, relay->tail, relay->seen);
        return relay->seen;
    }
    const size_t at = relay->seen % RELAY_TAIL;
    memcpy(ret_bytes, relay->tail + at, RELAY_TAIL - at);
    memcpy(ret_bytes + RELAY_TAIL - at, relay->tail, at);
    return RELAY_TAIL;
}
