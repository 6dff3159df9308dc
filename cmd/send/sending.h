/* Sending the body of the command line, or the messages of a stream. Calls return an exit status; an error was reported
   with its place in the input. */
#ifndef SENDING_H
#define SENDING_H

#include <mq.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "send/destination.h"
#include "term/progress.h"

struct sending {
    struct destination to;
    struct mq_send_options options;
    mq_message *(*make)(int *ret_status); /* a new message with what is common to all; NULL: an error was reported */
    int framing;                          /* of streams: 'l', '0' or 'j', or 0: a stream is one message */
    int linger;                           /* milliseconds that a record waits for others to share its file */
    bool request;                         /* wait for the reply to each, and print it instead of the id */
    int64_t reply_timeout;
    bool tallies; /* errors tell how many messages were sent */
    uint64_t sent;
    struct progress *progress;    /* NULL: none is shown */
    uint64_t bytes, bytes_in_all; /* of the input that are sent; 0 in all: it is not known how many there will be */
};

/* Send a message with this body, from the file of this name; NULL: from the command line. */
int sending_bytes(struct sending *sending, const char *data, size_t size, const char *file);

/* Send what the descriptor holds: one message, or with `framing` many. */
int sending_stream(struct sending *sending, int fd, const char *file);

/* Report a failure to read `file`. */
int sending_fail_file(const struct sending *sending, int error, const char *file, const char *what);

#endif
