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

struct feed {
    int pipe; /* the end to write to; -1: all is written, or nobody wants it */
    char *chunk;
    size_t size, done; /* of the chunk */
    int error;         /* why the body could not be read */
};

/* Make the pipe and fill it. The end to read from is in `ret_end`, for the command. */
int feed_open(struct feed *feed, mq_message *message, int *ret_end);

/* Write what the pipe takes now. True: it is done, and closed. */
bool feed_pump(struct feed *feed, mq_message *message);

void feed_close(struct feed *feed);

#endif
