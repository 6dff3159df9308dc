/* A program that is talked to in lines. */
#include "bridge/stream.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/grow.h"
#include "cli/cli.h"
#include "text/text.h"
#include "worker/spawn.h"

#define PIECE ((size_t)64 << 10)
#define PIPE_ROOM (1 << 20) /* so that the program goes on while this process is busy */
#define LINE_MOST ((size_t)512 << 20)
#define SILENCE (60 * CLOCK_SECOND)

/* ---- buffers --------------------------------------------------------------------- */

static bool make_room(struct stream_buffer *buffer, size_t size)
{
    if (buffer->start == buffer->end)
        buffer->start = buffer->end = 0;
    if (buffer->start > 0 && buffer->room - buffer->end < size && buffer->start >= buffer->end - buffer->start) {
        memmove(buffer->bytes, buffer->bytes + buffer->start, buffer->end - buffer->start);
        buffer->end -= buffer->start;
        buffer->start = 0;
    }
    return buffer->end + size <= LINE_MOST && GROW(buffer->bytes, buffer->end + size, buffer->room);
}

bool stream_put(struct stream *stream, const void *bytes, size_t size)
{
    if (!make_room(&stream->to, size))
        return false;
    memcpy(stream->to.bytes + stream->to.end, bytes, size);
    stream->to.end += size;
    return true;
}

size_t stream_held(const struct stream *stream)
{
    return stream->to.end - stream->to.start;
}

/* ---- starting -------------------------------------------------------------------- */

static void close_fd(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

/* Our end is of the kind that does not wait; the other is the program's. */
static int make_pipe(int *ret_ours, int *ret_theirs, bool we_write)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) < 0)
        return -errno;
    *ret_ours = ends[we_write];
    *ret_theirs = ends[!we_write];
    (void)fcntl(ends[0], F_SETPIPE_SZ, PIPE_ROOM); /* where that is allowed */
    return fcntl(*ret_ours, F_SETFL, O_NONBLOCK) < 0 ? -errno : 0;
}

enum bridge_result stream_start(struct stream *stream, struct bridge *bridge, char *const *command)
{
    int in = -1, out = -1, error = -1;
    *stream = (struct stream){.bridge = bridge,
                              .in = -1,
                              .out = -1,
                              .error = -1,
                              .to = stream->to,
                              .from = stream->from,
                              .moved_at = clock_monotonic()};
    stream->to.start = stream->to.end = stream->from.start = stream->from.end = 0;
    int failed = make_pipe(&stream->in, &in, true);
    failed = failed ? failed : make_pipe(&stream->out, &out, false);
    failed = failed ? failed : make_pipe(&stream->error, &error, false);
    if (!failed) {
        const struct spawn spawn = {command, environ, in, out, error};
        const pid_t pid = spawn_command(&spawn);
        stream->pid = pid > 0 ? pid : 0;
        failed = pid < 0 ? (int)pid : 0;
    }
    close_fd(&in);
    close_fd(&out);
    close_fd(&error);
    if (failed == -ENOENT)
        return bridge_trouble(bridge, BRIDGE_FAILED, STATUS_NO_COMMAND, "there is no program %s", command[0]);
    if (failed)
        return bridge_trouble(bridge, BRIDGE_FAILED, failed == -EACCES ? STATUS_CANNOT_RUN : cli_status(failed),
                              "cannot start %s: %s", command[0], cli_reason(failed));
    bridge_watch(bridge, stream->out, EPOLLIN);
    bridge_watch(bridge, stream->error, EPOLLIN);
    return BRIDGE_OK;
}

/* ---- writing and reading --------------------------------------------------------- */

void stream_flush(struct stream *stream)
{
    struct stream_buffer *to = &stream->to;
    bool is_stuck = false;
    while (stream->in >= 0 && to->start < to->end && !is_stuck) {
        const ssize_t put = write(stream->in, to->bytes + to->start, to->end - to->start);
        if (put > 0)
            to->start += (size_t)put, stream->moved_at = clock_monotonic();
        else if (put < 0 && errno == EAGAIN)
            is_stuck = true;
        else if (put == 0 || errno != EINTR) /* it has ended, which its output tells */
            close_fd(&stream->in), stream->is_stuck = false;
    }
    if (stream->in >= 0 && is_stuck != stream->is_stuck)
        bridge_watch(stream->bridge, stream->in, is_stuck ? EPOLLOUT : 0);
    stream->is_stuck = is_stuck;
}

static bool read_some(struct stream *stream)
{
    struct stream_buffer *from = &stream->from;
    while (stream->out >= 0) {
        if (!make_room(from, PIECE))
            return false;
        const size_t room = from->room - from->end;
        const ssize_t got = read(stream->out, from->bytes + from->end, room);
        if (got > 0)
            from->end += (size_t)got, stream->moved_at = clock_monotonic();
        else if (got == 0 || (errno != EAGAIN && errno != EINTR))
            close_fd(&stream->out), stream->is_ended = true;
        if (got < (ssize_t)room && (got >= 0 || errno != EINTR))
            break;
    }
    return true;
}

/* Keep the last line that has any text. */
static void note_words(struct stream *stream, const char *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        if (bytes[i] == '\n' || bytes[i] == '\r') {
            stream->words_end = true;
            continue;
        }
        if (stream->words_end)
            stream->words_size = 0;
        stream->words_end = false;
        if (stream->words_size < sizeof stream->words - 1)
            stream->words[stream->words_size++] = bytes[i];
        stream->words[stream->words_size] = '\0';
    }
}

static void read_words(struct stream *stream)
{
    char bytes[4096];
    ssize_t got = 1;
    while (stream->error >= 0 && got > 0) {
        got = read(stream->error, bytes, sizeof bytes);
        if (got > 0)
            note_words(stream, bytes, (size_t)got);
        else if (got == 0 || (errno != EAGAIN && errno != EINTR))
            close_fd(&stream->error);
    }
}

bool stream_work(struct stream *stream)
{
    stream_flush(stream);
    read_words(stream);
    return read_some(stream);
}

bool stream_is_silent(const struct stream *stream)
{
    if (clock_monotonic() - stream->moved_at <= SILENCE)
        return false;
    (void)bridge_trouble(stream->bridge, BRIDGE_LOST, STATUS_TRY_LATER, "no answer for %d s",
                         (int)(SILENCE / CLOCK_SECOND));
    return true;
}

bool stream_line(struct stream *stream, char **ret_line, size_t *ret_size)
{
    struct stream_buffer *from = &stream->from;
    const size_t begin = from->start + stream->searched;
    char *end = begin < from->end ? memchr(from->bytes + begin, '\n', from->end - begin) : NULL;
    stream->searched = end ? 0 : from->end - from->start;
    if (!end)
        return false;
    *end = '\0';
    *ret_line = from->bytes + from->start;
    *ret_size = (size_t)(end - *ret_line);
    from->start += *ret_size + 1;
    return true;
}

/* ---- the end --------------------------------------------------------------------- */

static bool is_open(const struct stream *stream)
{
    return stream->out >= 0 || stream->error >= 0;
}

static void finish(struct stream *stream, int64_t until)
{
    for (bool ok = true; ok && is_open(stream) && clock_monotonic() < until;) {
        ok = stream_work(stream);
        if (stream_held(stream) == 0)
            close_fd(&stream->in);
        struct pollfd both[3] = {{.fd = stream->out, .events = POLLIN},
                                 {.fd = stream->error, .events = POLLIN},
                                 {.fd = stream->is_stuck ? stream->in : -1, .events = POLLOUT}};
        const int64_t left = until - clock_monotonic();
        if (is_open(stream))
            (void)poll(both, 3, left > 0 ? (int)(left / 1000) + 1 : 0);
    }
}

int stream_end(struct stream *stream, int64_t longest)
{
    int status = 0;
    if (stream->pid == 0)
        return 0;
    finish(stream, clock_monotonic() + longest);
    if (is_open(stream))
        (void)kill(-stream->pid, SIGTERM);
    close_fd(&stream->in);
    close_fd(&stream->out);
    close_fd(&stream->error);
    stream->is_ended = true;
    const int64_t until = clock_monotonic() + CLOCK_SECOND;
    pid_t waited;
    while ((waited = waitpid(stream->pid, &status, WNOHANG)) == 0 && clock_monotonic() < until)
        (void)poll(NULL, 0, 5);
    if (waited == 0) {
        (void)kill(-stream->pid, SIGKILL);
        (void)waitpid(stream->pid, &status, 0);
    }
    stream->pid = 0;
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

void stream_release(struct stream *stream)
{
    free(stream->to.bytes);
    free(stream->from.bytes);
    stream->to = stream->from = (struct stream_buffer){0};
}
