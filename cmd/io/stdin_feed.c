/* Writing a message's body to a command's standard input. */
#include "io/stdin_feed.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

/* The usual size of a pipe. Most bodies are read and written by one call each. */
#define CHUNK 65536

int stdin_feed_open(struct stdin_feed *feed, mq_message *message, int *ret_end)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) < 0)
        return -errno;
    *feed = (struct stdin_feed){.pipe = ends[1], .chunk = malloc(CHUNK)};
    /* Only the worker's end is made non-blocking. The other end is the command's standard input, which must block. */
    if (!feed->chunk || fcntl(ends[1], F_SETFL, O_NONBLOCK) < 0) {
        const int error = feed->chunk ? -errno : -ENOMEM;
        stdin_feed_close(feed);
        close(ends[0]);
        return error;
    }
    *ret_end = ends[0];
    (void)stdin_feed_pump(feed, message);
    return feed->error;
}

void stdin_feed_close(struct stdin_feed *feed)
{
    if (feed->pipe >= 0)
        close(feed->pipe);
    free(feed->chunk);
    feed->pipe = -1;
    feed->chunk = NULL;
}

/* Read the next part of the body if the chunk is used up. False: the body is at its end, or cannot be read. */
static bool fill(struct stdin_feed *feed, mq_message *message)
{
    if (feed->done < feed->size)
        return true;
    const ssize_t got = mq_message_read(message, feed->chunk, CHUNK);
    if (got < 0)
        feed->error = (int)got;
    feed->size = got > 0 ? (size_t)got : 0;
    feed->done = 0;
    return got > 0;
}

bool stdin_feed_pump(struct stdin_feed *feed, mq_message *message)
{
    while (feed->pipe >= 0 && fill(feed, message)) {
        const ssize_t written = write(feed->pipe, feed->chunk + feed->done, feed->size - feed->done);
        if (written < 0 && errno == EAGAIN)
            return false;
        if (written < 0 && errno != EINTR)
            break; /* EPIPE: the command has closed its end */
        feed->done += written > 0 ? (size_t)written : 0;
    }
    stdin_feed_close(feed);
    return true;
}
