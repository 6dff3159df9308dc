/* Standard output. */
#include "output.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <units.h>

#include "cli.h"

/* Sleep until the output takes PIPE_BUF bytes. */
static int wait_for_reader(int cancel_fd)
{
    struct pollfd both[2] = {{.fd = STDOUT_FILENO, .events = POLLOUT}, {.fd = cancel_fd, .events = POLLIN}};
    while (poll(both, 2, -1) < 0)
        if (errno != EINTR)
            return -errno;
    return both[0].revents ? 0 : -ECANCELED;
}

int output_write(const void *data, size_t size, int cancel_fd)
{
    /* A pipe that is ready takes so much without blocking; more, and nobody could end us until it is read. */
    const size_t most = cancel_fd < 0 ? size : PIPE_BUF;
    for (const char *at = data; size > 0;) {
        const int error = cancel_fd < 0 ? 0 : wait_for_reader(cancel_fd);
        if (error)
            return error;
        const ssize_t written = write(STDOUT_FILENO, at, size < most ? size : most);
        if (written < 0 && errno != EINTR)
            return -errno;
        if (written > 0) {
            at += written;
            size -= (size_t)written;
        }
    }
    return 0;
}

int output_finish(int status)
{
    const bool failed = ferror(stdout);
    if (fflush(stdout) == 0 && !failed)
        return status;
    return cli_fail(STATUS_IO, NULL, "cannot write the output: %s", strerror(errno));
}

bool output_is_terminal(void)
{
    return isatty(STDOUT_FILENO);
}

size_t output_columns(void)
{
    const char *said = getenv("COLUMNS");
    struct winsize window;
    uint64_t columns;
    if (!output_is_terminal())
        return 0;
    if (said && units_parse_number(said, UINT16_MAX, &columns) && columns > 0)
        return (size_t)columns;
    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &window) == 0 && window.ws_col > 0)
        return window.ws_col;
    return 80;
}

bool output_has_colour(void)
{
    const char *forbidden = getenv("NO_COLOR"), *terminal = getenv("TERM");
    return output_is_terminal() && !(forbidden && *forbidden) && terminal && strcmp(terminal, "dumb") != 0;
}

bool output_has_utf8(void)
{
    static const char *const variables[] = {"LC_ALL", "LC_CTYPE", "LANG"};
    for (size_t i = 0; i < sizeof variables / sizeof *variables; i++) {
        const char *locale = getenv(variables[i]);
        if (locale && *locale)
            return strcasestr(locale, "utf-8") || strcasestr(locale, "utf8");
    }
    return false;
}
