/*
 * Pipes that processes left behind by commands still write to. They hold no slot of a job, and what comes through them is
 * passed on as it comes, as long as the worker runs.
 */
#ifndef RESTS_H
#define RESTS_H

#include <mq.h>
#include <stdbool.h>
#include <stddef.h>

#include "io/relay.h"

struct rest {
    int pipe;
    enum mq_stream stream;
    bool shown; /* else what comes is dropped */
};

struct rests {
    int epoll;
    struct outlet *outlets; /* by stream */
    size_t reserved;        /* descriptors that the jobs themselves may need */
    struct rest *items;
    size_t count, room;
    bool held[MQ_STREAMS]; /* those of a stream are not read until the worker's takes more */
};

/* Keep reading the pipe of a stream whose job has ended, for the processes that it left behind. */
void rests_keep(struct rests *rests, struct relay *relay, enum mq_stream stream);

/* There is something to read. */
void rests_pass(struct rests *rests, int pipe);

/* The worker's stream takes more. */
void rests_resume(struct rests *rests, enum mq_stream stream);

/* Pass on what was written, and forget the pipes. */
void rests_close(struct rests *rests);

#endif
