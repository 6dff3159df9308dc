/*
 * Messages on their way to standard output: gathered, written many at once, and counted once they are out.
 *
 *     output_buffer_begin(output_buffer, count);
 *     output_buffer_add(output_buffer, data, size); … output_buffer_end_message(output_buffer); …
 *     output_buffer_flush(output_buffer);
 *
 * Calls return 0 or what output_write says; then output_buffer_written() still tells how many messages are out as a whole.
 *
 * A signal ends a write that waits for its reader, with -ECANCELED, but not in the midst of a message: its rest is
 * still written, and only a second signal leaves it torn.
 */
#ifndef OUTPUT_BUFFER_H
#define OUTPUT_BUFFER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cli/output.h"

struct output_buffer;

/* The patience is used at each write, and must live as long. */
struct output_buffer *output_buffer_new(const struct output_patience *patience);
void output_buffer_free(struct output_buffer *output_buffer);

/* Count from 0 again, up to `count` messages. */
void output_buffer_begin(struct output_buffer *output_buffer, size_t count);

int output_buffer_add(struct output_buffer *output_buffer, const void *data, size_t size);

/* Room to put bytes into oneself: at least one. */
char *output_buffer_room(struct output_buffer *output_buffer, size_t *ret_size);
int output_buffer_added(struct output_buffer *output_buffer, size_t size);

int output_buffer_end_message(struct output_buffer *output_buffer);

/* The message that was begun cannot be had to its end. True: nothing of it is out, and nothing will be. */
bool output_buffer_drop_message(struct output_buffer *output_buffer);

int output_buffer_flush(struct output_buffer *output_buffer);

/* How many messages are out. */
size_t output_buffer_written(const struct output_buffer *output_buffer);

/* The first signal, where one came in the midst of a message; it was taken from cancel_fd. Else 0. */
int output_buffer_signal(const struct output_buffer *output_buffer);

/* Whether part of a message is out, and not the rest. */
bool output_buffer_is_torn(const struct output_buffer *output_buffer);

/* Whether standard output is a pipe, whose reader may end with much of it unread. */
bool output_buffer_is_pipe(void);

/*
 * Wait until the pipe is empty, so that its reader has taken all that was flushed. -EPIPE: the reader is gone;
 * -ECANCELED: a signal came, after which only a second one ends the wait. In both cases only what was taken
 * counts as written.
 */
int output_buffer_wait_until_read(struct output_buffer *output_buffer);

/* After -EPIPE: what a pipe's reader left in it does not count as written. */
void output_buffer_discount_unread(struct output_buffer *output_buffer);

#endif
