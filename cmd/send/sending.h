/*
 * Sending what the command line or a stream holds, telling of each failure where it was.
 *
 * Calls return an exit status, and have reported what is wrong.
 */
#ifndef SENDING_H
#define SENDING_H

#include <mq.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "send/destination.h"

struct sending {
    struct destination to;
    struct mq_send_options options;
    mq_message *(*make)(int *ret_status); /* a message with all that is common to them; or NULL, reported */
    int framing;                          /* of streams: 'l', '0' or 'j', or 0: a stream is one message */
    int linger;                           /* milliseconds that the first of many waits for others */
    bool request;                         /* wait for the reply to each, and print it instead of the id */
    int64_t reply_timeout;
    bool tallies; /* there may be many: errors say how many were sent */
    uint64_t sent;
};

/* A message with this body; `file` says where it is from, or is NULL. */
int sending_bytes(struct sending *sending, const char *data, size_t size, const char *file);

/* What a descriptor gives: one message, or by framing many. */
int sending_stream(struct sending *sending, int fd, const char *file);

/* Report a failure to read `file`. */
int sending_fail_file(const struct sending *sending, int error, const char *file, const char *what);

#endif
