/*
 * Writing a message's body to a command's standard input, a pipe, without ever blocking.
 *
 * The part that fits is in the pipe before the command begins. A command need not read all of the body, or any.
 */
#ifndef STDIN_FEED_H
#define STDIN_FEED_H

#include <mq.h>
#include <stdbool.h>
#include <stddef.h>

struct stdin_feed {
    int pipe; /* the end to write to; -1: all is written, or the command has closed its end */
    char *chunk;
    size_t size, done; /* of the chunk */
    int error;         /* why the body could not be read */
};

/* Make the pipe and fill it. `ret_end` gets the command's end, to read from. */
int stdin_feed_open(struct stdin_feed *feed, mq_message *message, int *ret_end);

/* Write what the pipe takes now. True: all was written or there was an error, and the pipe is closed. */
bool stdin_feed_pump(struct stdin_feed *feed, mq_message *message);

void stdin_feed_close(struct stdin_feed *feed);

#endif
