/*
 * A command's standard error: passed on to the worker's as it comes, with the last bytes kept.
 *
 * While the worker's standard error takes no more, the command's is not read either. So the command waits for the
 * reader as it would without the worker in between, and the worker goes on with other commands.
 */
#ifndef STDERR_RELAY_H
#define STDERR_RELAY_H

#include <stdbool.h>
#include <stddef.h>

#define RELAY_TAIL 4096

struct stderr_relay {
    int pipe;   /* the end to read from; -1: closed */
    int rest;   /* that end, once the command has ended and a process that it started may still write to it; else -1 */
    bool ended; /* the command has ended: only the next `left` bytes are still read for it */
    size_t left;
    size_t seen; /* bytes so far; the last RELAY_TAIL of them are in `tail`, a ring buffer */
    char tail[RELAY_TAIL];
};

enum stderr_relay_state { RELAY_MORE, RELAY_HELD, RELAY_DONE };

/* Make the pipe. `ret_end` gets the command's end, to write to. */
int stderr_relay_open(struct stderr_relay *relay, int *ret_end);

/* Pass on what the pipe holds. RELAY_HELD: the worker's standard error takes no more for now. RELAY_DONE: the pipe is
   closed. */
enum stderr_relay_state stderr_relay_pump(struct stderr_relay *relay);

/* The command has ended: from now on only what the pipe holds already is passed on. */
enum stderr_relay_state stderr_relay_finish(struct stderr_relay *relay);

void stderr_relay_close(struct stderr_relay *relay);

/* Pass on what the pipe in `rest` holds. RELAY_DONE: no process can write to it any more. */
enum stderr_relay_state stderr_relay_pass_rest(int pipe);

/* Copy the last bytes to `ret_bytes`, in order. Returns how many. */
size_t stderr_relay_tail(const struct stderr_relay *relay, char ret_bytes[RELAY_TAIL]);

#endif
