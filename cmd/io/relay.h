/*
 * A stream of a command, its standard output or standard error: kept if that is wanted, and passed on to the worker's own
 * stream in one of several ways. Its last bytes are remembered.
 *
 * While the worker's stream takes no more, the command's is not read either. So the command waits for the reader as it
 * would without the worker in between, and the worker goes on with other commands.
 */
#ifndef RELAY_H
#define RELAY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "io/outlet.h"

#define RELAY_TAIL 4096

/* How a stream is passed on. */
enum relay_form {
    RELAY_AS_IT_COMES,
    RELAY_LINES,  /* line by line, so that no line of another command is within one */
    RELAY_TAGGED, /* line by line, each behind the tag and a tab */
    RELAY_GROUP,  /* all of it when the command has ended */
    RELAY_NOT     /* not at all */
};

/* Whose turn it is to print a group: one command after the other. */
struct relay_turn {
    const void *of; /* NULL: nobody's */
};

struct relay {
    enum relay_form form;
    struct outlet *outlet;
    const char *tag;
    struct relay_turn *turn;
    const void *self;                                            /* what `turn` calls this command */
    void (*keep)(void *context, const char *bytes, size_t size); /* NULL: nothing is kept */
    void *context;
    int pipe;   /* the end to read from; -1: closed */
    int rest;   /* that end, once the command has ended and a process that it started may still write to it; else -1 */
    bool ended; /* the command has ended: only the next `left` bytes are still read for it */
    bool held;  /* it is not read until the outlet takes more, or its turn comes */
    size_t left;
    char *line; /* that has not ended yet */
    size_t line_size, line_room;
    bool within;   /* a part of this line was passed on already */
    bool draining; /* everything was read, and the outlet has not taken all of it */
    int group;     /* a temporary file; -1: none */
    uint64_t group_size, group_at;
    size_t seen; /* bytes so far; the last RELAY_TAIL of them are in `tail`, a ring buffer */
    char tail[RELAY_TAIL];
};

/* RELAY_HELD: the outlet takes no more for now. RELAY_WAITS: another command has its turn. RELAY_DONE: all was read and
   passed on, and the pipe is closed. */
enum relay_state { RELAY_MORE, RELAY_HELD, RELAY_WAITS, RELAY_DONE };

/* Make it as one that is closed; the members that say what becomes of the stream are for the caller to set. */
void relay_clear(struct relay *relay);

/* Make the pipe. `ret_end` gets the command's end, to write to. */
int relay_open(struct relay *relay, int *ret_end);

/* Whether there is anything left to read or to pass on. */
bool relay_is_open(const struct relay *relay);

/* Pass on what the pipe holds. */
enum relay_state relay_pump(struct relay *relay);

/* The command has ended: from now on only what the pipe holds already is passed on. */
enum relay_state relay_finish(struct relay *relay);

/* What was not passed on yet is dropped. */
void relay_close(struct relay *relay);

/* Pass on what a pipe in `rest` holds; NULL: drop it. RELAY_DONE: no process can write to it any more. */
enum relay_state relay_pass_rest(int pipe, struct outlet *outlet);

/* Copy the last bytes to `ret_bytes`, in order. Returns how many. */
size_t relay_tail(const struct relay *relay, char ret_bytes[RELAY_TAIL]);

#endif
