/*
 * A program that is talked to in lines: its standard input and output, without waiting, and the last line of its standard
 * error.
 *
 *     result = stream_start(&stream, bridge, command);
 *     stream_put(&stream, text, size);
 *     result = stream_work(&stream);
 *     while (stream_line(&stream, &line, &size)) …
 *     status = stream_end(&stream, seconds);
 */
#ifndef STREAM_H
#define STREAM_H

#include <sys/types.h>

#include "bridge/bridge.h"

#define STREAM_WORDS_SIZE 400

struct stream_buffer {
    char *bytes;
    size_t start, end, room;
};

struct stream {
    struct bridge *bridge;
    pid_t pid;          /* 0: none */
    int in, out, error; /* -1: closed */
    bool is_stuck;      /* `in` is watched until it can be written */
    bool is_ended;      /* it has closed its output */
    struct stream_buffer to, from;
    size_t searched;               /* in so many bytes of `from` is no end of a line */
    int64_t moved_at;              /* when bytes were written or read; monotonic */
    char words[STREAM_WORDS_SIZE]; /* the last line of its standard error that has any text */
    size_t words_size;
    bool words_end; /* the next byte begins a new line */
};

/* Start the program. What is wrong is kept as trouble. */
enum bridge_result stream_start(struct stream *stream, struct bridge *bridge, char *const *command);

/* Add bytes to what will be written. False: out of memory. */
bool stream_put(struct stream *stream, const void *bytes, size_t size);
size_t stream_held(const struct stream *stream);

/* Write what can be without waiting. */
void stream_flush(struct stream *stream);

/* Write and read what can be without waiting. An end of the program shows as is_ended. False: out of memory. */
bool stream_work(struct stream *stream);

/* Whether nothing was written or read for a minute. It is lost then if an answer has to come: what is kept as trouble. */
bool stream_is_silent(const struct stream *stream);

/* The next whole line of what was read, without its newline but with a NUL; it lives until the next call. */
bool stream_line(struct stream *stream, char **ret_line, size_t *ret_size);

/* Write what is left, close the input, read to the end, and end the program if that takes longer than this. Its exit
   status: 128 and the number of the signal if it died of one. Lines that came are still there. */
int stream_end(struct stream *stream, int64_t longest);

/* Forget everything. */
void stream_release(struct stream *stream);

#endif
