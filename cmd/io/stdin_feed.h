/*
 * A message's body on its way into a command's standard input, a pipe that is written without ever blocking.
 *
 * What fits is in the pipe before the command begins. A command that does not read it, or no more of it, is no
 * error: that is its own business.
 */
#ifndef FEED_H
#define FEED_H

#include <mq.h>
#include <stdbool.h>
#include <stddef.h>

struct stdin_feed {
    int pipe; /* the end to write to; -1: all is written, or nobody wants it */
    char *chunk;
    size_t size, done; /* of the chunk */
    int error;         /* why the body could not be read */
};

/* Make the pipe and fill it. The end to read from is in `ret_end`, for the command. */
int stdin_feed_open(struct stdin_feed *feed, mq_message *message, int *ret_end);

/* Write what the pipe takes now. True: it is done, and closed. */
bool stdin_feed_pump(struct stdin_feed *feed, mq_message *message);

void stdin_feed_close(struct stdin_feed *feed);

#endif
