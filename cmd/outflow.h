/*
 * Messages on their way to standard output: gathered, written many at once, and counted once they are out.
 *
 *     outflow_begin(outflow, count);
 *     outflow_add(outflow, data, size); … outflow_end_message(outflow); …
 *     outflow_flush(outflow);
 *
 * Calls return 0 or what output_write says; then outflow_written() still tells how many messages are out as a whole.
 *
 * A signal ends a write that waits for its reader, with -ECANCELED, but not in the midst of a message: its rest is
 * still written, and only a second signal leaves it torn.
 */
#ifndef OUTFLOW_H
#define OUTFLOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "output.h"

struct outflow;

/* The patience is used at each write, and must live as long. */
struct outflow *outflow_new(const struct output_patience *patience);
void outflow_free(struct outflow *outflow);

/* Count from 0 again, up to `count` messages. */
void outflow_begin(struct outflow *outflow, size_t count);

int outflow_add(struct outflow *outflow, const void *data, size_t size);

/* Room to put bytes into oneself: at least one. */
char *outflow_room(struct outflow *outflow, size_t *ret_size);
int outflow_added(struct outflow *outflow, size_t size);

int outflow_end_message(struct outflow *outflow);

/* The message that was begun cannot be had to its end. True: nothing of it is out, and nothing will be. */
bool outflow_drop_message(struct outflow *outflow);

int outflow_flush(struct outflow *outflow);

/* How many messages are out. */
size_t outflow_written(const struct outflow *outflow);

/* The first signal, where one came in the midst of a message; it was taken from cancel_fd. Else 0. */
int outflow_signal(const struct outflow *outflow);

/* Whether part of a message is out, and not the rest. */
bool outflow_is_torn(const struct outflow *outflow);

/* Whether standard output is a pipe, whose reader may end with much of it unread. */
bool outflow_is_pipe(void);

/*
 * Wait until the pipe is empty, so that its reader has taken all that was flushed. -EPIPE: the reader is gone;
 * -ECANCELED: a signal came, after which only a second one ends the wait. In both cases only what was taken
 * counts as written.
 */
int outflow_wait_until_read(struct outflow *outflow);

/* After -EPIPE: what a pipe's reader left in it does not count as written. */
void outflow_discount_unread(struct outflow *outflow);

#endif
