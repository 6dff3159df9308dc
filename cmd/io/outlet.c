/* The streams that the output of commands is passed on to. */
#include "io/outlet.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/grow.h"
#include "cli/cli.h"

/* Whether a write of a piece would not block. */
static bool is_writable(const struct outlet *outlet)
{
    struct pollfd out = {.fd = outlet->fd, .events = POLLOUT};
    return poll(&out, 1, 0) != 0;
}

/* Returns how many bytes are done with: all of them if the stream cannot be written any more, none if it takes none now. */
static size_t write_some(const struct outlet *outlet, const char *bytes, size_t size)
{
    ssize_t written;
    do
        written = write(outlet->fd, bytes, size < OUTLET_PIECE ? size : OUTLET_PIECE);
    while (written < 0 && errno == EINTR);
    return written >= 0 ? (size_t)written : errno == EAGAIN ? 0 : size;
}

static void flush(struct outlet *outlet)
{
    size_t done = 1;
    if (cli_before_say && outlet->start < outlet->end)
        cli_before_say();
    while (done > 0 && outlet->start < outlet->end && is_writable(outlet)) {
        done = write_some(outlet, outlet->text + outlet->start, outlet->end - outlet->start);
        outlet->start += done;
    }
    if (outlet->start == outlet->end)
        outlet->start = outlet->end = 0;
}

bool outlet_is_ready(struct outlet *outlet)
{
    flush(outlet);
    return outlet->end == 0 && is_writable(outlet);
}

void outlet_add(struct outlet *outlet, const char *bytes, size_t size)
{
    if (size == 0 || !GROW(outlet->text, outlet->end + size, outlet->room))
        return;
    memcpy(outlet->text + outlet->end, bytes, size);
    outlet->end += size;
}

void outlet_put(struct outlet *outlet, const char *bytes, size_t size)
{
    outlet_add(outlet, bytes, size);
    flush(outlet);
}

void outlet_release(struct outlet *outlet)
{
    free(outlet->text);
    *outlet = (struct outlet){.fd = outlet->fd};
}
