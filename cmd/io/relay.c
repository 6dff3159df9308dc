/* A stream of a command: kept, and passed on. */
#include "io/relay.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/grow.h"
#include "base/io.h"
#include "cli/cli.h"
#include "io/temporary.h"

/* Pieces that are passed on for one command before the next command has its turn. */
#define PIECES 16

#define BUFFER 65536

/* A line that is longer is passed on in parts. */
#define LINE_MOST ((size_t)64 << 10)

/* ---- opening and closing ------------------------------------------------------------- */

void relay_clear(struct relay *relay)
{
    relay->pipe = relay->rest = relay->group = -1;
    relay->ended = relay->held = relay->within = relay->draining = false;
    relay->line_size = 0;
    relay->group_size = relay->group_at = 0;
    relay->seen = 0;
}

int relay_open(struct relay *relay, int *ret_end)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) < 0)
        return -errno;
    relay->pipe = ends[0];
    *ret_end = ends[1];
    if (fcntl(ends[0], F_SETFL, O_NONBLOCK) == 0)
        return 0;
    const int error = -errno;
    relay_close(relay);
    close(ends[1]);
    *ret_end = -1;
    return error;
}

bool relay_is_open(const struct relay *relay)
{
    return relay->pipe >= 0 || relay->group >= 0 || relay->draining;
}

static void close_one(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

void relay_close(struct relay *relay)
{
    close_one(&relay->pipe);
    close_one(&relay->group);
    free(relay->line);
    relay->line = NULL;
    relay->line_size = relay->line_room = 0;
    relay->draining = false;
}

/* Whether a process that the command left behind still has the pipe open. It would die of SIGPIPE if the pipe were
   closed. */
static bool has_writers(int pipe)
{
    struct pollfd end = {.fd = pipe};
    return poll(&end, 1, 0) == 0;
}

/* ---- the tail ------------------------------------------------------------------------ */

static void remember(struct relay *relay, const char *bytes, size_t size)
{
    const size_t over = size > RELAY_TAIL ? size - RELAY_TAIL : 0;
    relay->seen += over;
    bytes += over;
    size -= over;
    const size_t at = relay->seen % RELAY_TAIL, first = size < RELAY_TAIL - at ? size : RELAY_TAIL - at;
    memcpy(relay->tail + at, bytes, first);
    memcpy(relay->tail, bytes + first, size - first);
    relay->seen += size;
}

size_t relay_tail(const struct relay *relay, char ret_bytes[RELAY_TAIL])
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

/* ---- lines --------------------------------------------------------------------------- */

static void put_line(struct relay *relay, const char *rest, size_t size, const char *end)
{
    if (relay->form == RELAY_TAGGED && !relay->within) {
        outlet_add(relay->outlet, relay->tag, strlen(relay->tag));
        outlet_add(relay->outlet, "\t", 1);
    }
    outlet_add(relay->outlet, relay->line, relay->line_size);
    outlet_add(relay->outlet, rest, size);
    outlet_add(relay->outlet, end, strlen(end));
    relay->line_size = 0;
    relay->within = *end == '\0';
}

/* Keep the beginning of a line for the next piece. */
static void keep_line(struct relay *relay, const char *bytes, size_t size)
{
    if (size == 0)
        return;
    if (relay->line_size + size > LINE_MOST || !GROW(relay->line, relay->line_size + size, relay->line_room)) {
        put_line(relay, bytes, size, "");
        return;
    }
    memcpy(relay->line + relay->line_size, bytes, size);
    relay->line_size += size;
}

static void pass_lines(struct relay *relay, const char *bytes, size_t size)
{
    const char *const end = bytes + size;
    for (const char *stop; (stop = memchr(bytes, '\n', (size_t)(end - bytes))); bytes = stop + 1)
        put_line(relay, bytes, (size_t)(stop - bytes), "\n");
    keep_line(relay, bytes, (size_t)(end - bytes));
    (void)outlet_is_ready(relay->outlet);
}

/* ---- groups -------------------------------------------------------------------------- */

/* Without room for a group, what follows is passed on line by line. */
static void give_up_group(struct relay *relay, int error)
{
    (void)cli_error(error, relay->tag, "cannot keep its output together");
    relay->form = RELAY_LINES;
}

static void add_to_group(struct relay *relay, const char *bytes, size_t size)
{
    if (relay->group < 0)
        relay->group = temporary_open();
    const int error = relay->group < 0 ? relay->group : io_write_all(relay->group, bytes, size);
    if (!error) {
        relay->group_size += size;
        return;
    }
    give_up_group(relay, error);
    pass_lines(relay, bytes, size);
}

static enum relay_state print_group(struct relay *relay)
{
    if (relay->turn->of && relay->turn->of != relay->self)
        return RELAY_WAITS;
    relay->turn->of = relay->self;
    while (relay->group_at < relay->group_size) {
        char bytes[OUTLET_PIECE];
        const uint64_t left = relay->group_size - relay->group_at;
        if (!outlet_is_ready(relay->outlet))
            return RELAY_HELD;
        const ssize_t got = io_read_at(relay->group, bytes, left < sizeof bytes ? (size_t)left : sizeof bytes,
                                       relay->group_at);
        if (got <= 0)
            break;
        outlet_put(relay->outlet, bytes, (size_t)got);
        relay->group_at += (uint64_t)got;
    }
    close_one(&relay->group);
    relay->draining = true;
    return relay_pump(relay);
}

/* ---- passing on ---------------------------------------------------------------------- */

static bool needs_outlet(const struct relay *relay)
{
    return relay->form != RELAY_GROUP && relay->form != RELAY_NOT;
}

static void pass_on(struct relay *relay, const char *bytes, size_t size)
{
    switch (relay->form) {
    case RELAY_AS_IT_COMES:
        outlet_put(relay->outlet, bytes, size);
        break;
    case RELAY_LINES:
    case RELAY_TAGGED:
        pass_lines(relay, bytes, size);
        break;
    case RELAY_GROUP:
        add_to_group(relay, bytes, size);
        break;
    case RELAY_NOT:
        break;
    }
}

/* Read a piece and pass it on. False: there is nothing to read. */
static bool move_piece(struct relay *relay, enum relay_state *ret_state)
{
    char bytes[BUFFER];
    const size_t room = needs_outlet(relay) ? OUTLET_PIECE : sizeof bytes;
    const size_t most = relay->ended && relay->left < room ? relay->left : room;
    const ssize_t got = most > 0 ? read(relay->pipe, bytes, most) : 0;
    if (got <= 0) {
        *ret_state = got < 0 && errno == EAGAIN && !relay->ended ? RELAY_MORE : RELAY_DONE;
        return false;
    }
    remember(relay, bytes, (size_t)got);
    if (relay->keep)
        relay->keep(relay->context, bytes, (size_t)got);
    pass_on(relay, bytes, (size_t)got);
    relay->left -= relay->ended ? (size_t)got : 0;
    return true;
}

static enum relay_state pump_pipe(struct relay *relay)
{
    enum relay_state state = RELAY_MORE;
    for (int pieces = 0; relay->ended || pieces < PIECES; pieces++) {
        if (needs_outlet(relay) && !outlet_is_ready(relay->outlet))
            return RELAY_HELD;
        if (!move_piece(relay, &state))
            break;
    }
    if (state != RELAY_DONE)
        return state;
    if (relay->line_size > 0 || relay->within)
        put_line(relay, "", 0, "\n");
    relay->draining = needs_outlet(relay);
    if (relay->ended && has_writers(relay->pipe))
        relay->rest = relay->pipe;
    else
        close(relay->pipe);
    relay->pipe = -1;
    return state;
}

enum relay_state relay_pump(struct relay *relay)
{
    const enum relay_state state = relay->pipe >= 0 ? pump_pipe(relay) : RELAY_DONE;
    if (state != RELAY_DONE)
        return state;
    if (relay->group >= 0)
        return relay->ended ? print_group(relay) : RELAY_MORE;
    if (relay->draining && relay->outlet->end > 0 && !outlet_is_ready(relay->outlet))
        return RELAY_HELD;
    relay_close(relay);
    return RELAY_DONE;
}

enum relay_state relay_finish(struct relay *relay)
{
    int left = 0;
    relay->ended = true;
    if (relay->pipe >= 0)
        (void)ioctl(relay->pipe, FIONREAD, &left);
    relay->left = left > 0 ? (size_t)left : 0;
    return relay_pump(relay);
}

enum relay_state relay_pass_rest(int pipe, struct outlet *outlet)
{
    for (int pieces = 0; pieces < PIECES; pieces++) {
        char bytes[OUTLET_PIECE];
        if (outlet && !outlet_is_ready(outlet))
            return RELAY_HELD;
        const ssize_t got = read(pipe, bytes, sizeof bytes);
        if (got <= 0)
            return got < 0 && (errno == EAGAIN || errno == EINTR) ? RELAY_MORE : RELAY_DONE;
        if (outlet)
            outlet_put(outlet, bytes, (size_t)got);
    }
    return RELAY_MORE;
}
