/* Standard output. */
#include "cli/output.h"

#include "base/units.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "cli/cli.h"

#define STREAM_ROOM 65536

/* Sleep until the output takes PIPE_BUF bytes. */
static int wait_for_reader(const struct output_patience *patience)
{
    struct pollfd both[2] = {{.fd = STDOUT_FILENO, .events = POLLOUT}, {.fd = patience->cancel_fd, .events = POLLIN}};
    for (;;) {
        const int ready = poll(both, 2, patience->milliseconds);
        if (ready > 0)
            return both[0].revents ? 0 : -ECANCELED;
        if (ready < 0 && errno != EINTR)
            return -errno;
        if (ready == 0)
            patience->wait(patience->context);
    }
}

/* Whether the output is a file or a block device. No reader has to take what is written there, and poll says nothing of
   use about it. */
static bool is_on_disk(int fd)
{
    struct stat status;
    return fstat(fd, &status) == 0 && (S_ISREG(status.st_mode) || S_ISBLK(status.st_mode));
}

/* A descriptor of the terminal that does not block. A terminal may be ready and still take less than a write has, and
   the write must not wait then. The descriptor is a new one, since other processes share standard output and it must
   stay as it is for them. -1: there is none. */
static int own_terminal(void)
{
    static int own = -2;
    if (own == -2)
        own = isatty(STDOUT_FILENO) ? open("/proc/self/fd/1", O_WRONLY | O_NOCTTY | O_NONBLOCK | O_CLOEXEC) : -1;
    return own;
}

/* Write as much as possible without waiting for a reader, since a signal cannot end a write that waits. */
static ssize_t write_at_once(const void *data, size_t size)
{
    const struct iovec all = {.iov_base = (void *)(uintptr_t)data, .iov_len = size};
    const ssize_t written = pwritev2(STDOUT_FILENO, &all, 1, -1, RWF_NOWAIT);
    return written < 0 ? -errno : written;
}

/* Wait for the reader after write_at_once wrote nothing. If the kernel cannot write without waiting here (some file
   systems always return EAGAIN), also write what a pipe takes that is ready. */
static ssize_t write_after_waiting(const void *data, size_t size, bool at_once, const struct output_patience *patience)
{
    const bool on_disk = is_on_disk(STDOUT_FILENO);
    const int error = on_disk ? 0 : wait_for_reader(patience);
    if (error || (at_once && !on_disk))
        return error;
    const int own = on_disk ? -1 : own_terminal();
    const ssize_t written = write(own < 0 ? STDOUT_FILENO : own, data, on_disk || size < PIPE_BUF ? size : PIPE_BUF);
    return written < 0 ? -errno : written;
}

static ssize_t write_some(const void *data, size_t size, const struct output_patience *patience)
{
    const ssize_t written = write_at_once(data, size);
    const bool cannot = written == -EOPNOTSUPP || written == -ENOSYS || written == -EINVAL;
    return cannot || written == -EAGAIN ? write_after_waiting(data, size, !cannot, patience) : written;
}

int output_write(const void *data, size_t size, const struct output_patience *patience, size_t *ret_written)
{
    for (*ret_written = 0; *ret_written < size;) {
        const ssize_t written = write_some((const char *)data + *ret_written, size - *ret_written, patience);
        if (written < 0 && written != -EINTR && written != -EAGAIN)
            return (int)written;
        *ret_written += written > 0 ? (size_t)written : 0;
    }
    return 0;
}

/* ---- stdio ------------------------------------------------------------------------ */

/* The length of the next piece: at most PIPE_BUF bytes, which a pipe takes as a whole or not at all, up to the end of a
   line if there is one. */
static size_t piece_of(const char *data, size_t size)
{
    const size_t most = size < PIPE_BUF ? size : PIPE_BUF;
    const char *newline = memrchr(data, '\n', most);
    return newline ? (size_t)(newline - data) + 1 : most;
}

static ssize_t write_patiently(void *patience, const char *data, size_t size)
{
    int error = 0;
    size_t done = 0, written;
    for (; done < size && !error; done += written)
        error = output_write(data + done, piece_of(data + done, size - done), patience, &written);
    errno = -error;
    return error ? 0 : (ssize_t)size;
}

int output_cancel_by(int cancel_fd)
{
    static struct output_patience patience;
    patience = (struct output_patience){.cancel_fd = cancel_fd, .milliseconds = -1};
    FILE *stream = fopencookie(&patience, "w", (cookie_io_functions_t){.write = write_patiently});
    if (!stream || setvbuf(stream, NULL, _IOFBF, STREAM_ROOM) != 0)
        return -ENOMEM;
    stdout = stream;
    return 0;
}

int output_print(const void *data, size_t size)
{
    for (const char *at = data; size > 0;) {
        const ssize_t written = write(STDOUT_FILENO, at, size);
        if (written < 0 && errno == EAGAIN) /* another process has made the descriptor non-blocking */
            (void)poll(&(struct pollfd){.fd = STDOUT_FILENO, .events = POLLOUT}, 1, -1);
        else if (written < 0 && errno != EINTR)
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
    static int known = -1;
    if (known < 0)
        known = isatty(STDOUT_FILENO);
    return known;
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

bool output_is_dumb(void)
{
    const char *terminal = getenv("TERM");
    return terminal && strcmp(terminal, "dumb") == 0;
}

bool output_has_colour(void)
{
    const char *forbidden = getenv("NO_COLOR");
    return output_is_terminal() && !(forbidden && *forbidden) && getenv("TERM") && !output_is_dumb();
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
