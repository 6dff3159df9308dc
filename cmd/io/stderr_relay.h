/*
 * A command's standard error: passed on to ours as it comes, its end kept.
 *
 * While our own standard error takes no more, the command's is not read either, so that it waits for the reader as it
 * would without us between; the worker goes on with the rest.
 */
#ifndef RELAY_H
#define RELAY_H

#include <stdbool.h>
#include <stddef.h>

#define RELAY_TAIL 4096

struct stderr_relay {
    int pipe; /* the end to read from; -1: done */
    int rest; /* the same once it is done, where what the command left running may still write to it; -1: it may not */
    bool ended; /* the command has: what `left` counts is all that is still read, whoever else holds the pipe */
    size_t left;
    size_t seen; /* bytes so far; the last RELAY_TAIL of them are in `tail`, which goes round */
    char tail[RELAY_TAIL];
};

enum stderr_relay_state { RELAY_MORE, RELAY_HELD, RELAY_DONE };

/* Make the pipe; the end to write to is in `ret_end`, for the command. */
int stderr_relay_open(struct stderr_relay *relay, int *ret_end);

/* Pass on what is there. RELAY_HELD: our standard error takes no more for now. RELAY_DONE: the pipe is closed. */
enum stderr_relay_state stderr_relay_pump(struct stderr_relay *relay);

/* The command has ended: from now on only what it has written already is passed on. */
enum stderr_relay_state stderr_relay_finish(struct stderr_relay *relay);

void stderr_relay_close(struct stderr_relay *relay);

/* Pass on what is in a pipe that was the rest of a relay. RELAY_DONE: nobody writes to it any more. */
enum stderr_relay_state stderr_relay_pass_rest(int pipe);

/* The last bytes, in order: how many are in `ret_bytes`. */
size_t stderr_relay_tail(const struct stderr_relay *relay, char ret_bytes[RELAY_TAIL]);

#endif
