/*
 * Messages for standard output: gathered, written many at once, and counted when they are written.
 *
 *     output_buffer_begin(output_buffer, count);
 *     output_buffer_add(output_buffer, data, size); … output_buffer_end_message(output_buffer); …
 *     output_buffer_flush(output_buffer);
 *
 * Calls return 0 or the error of output_write. Also after an error output_buffer_written() tells how many messages were
 * written as a whole.
 *
 * A signal ends a write that waits for its reader, with -ECANCELED, but not within a message: the rest of the message
 * is still written. Only a second signal leaves it torn.
 */
#ifndef OUTPUT_BUFFER_H
#define OUTPUT_BUFFER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cli/output.h"

struct output_buffer;

/* `patience` is used at each write, and must live as long as the buffer. */
struct output_buffer *output_buffer_new(const struct output_patience *patience);
void output_buffer_free(struct output_buffer *output_buffer);

/* Start to count from 0 again, up to `count` messages. */
void output_buffer_begin(struct output_buffer *output_buffer, size_t count);

int output_buffer_add(struct output_buffer *output_buffer, const void *data, size_t size);

/* Room for bytes that the caller writes itself, at least one; output_buffer_added tells how many it wrote. */
char *output_buffer_room(struct output_buffer *output_buffer, size_t *ret_size);
int output_buffer_added(struct output_buffer *output_buffer, size_t size);

int output_buffer_end_message(struct output_buffer *output_buffer);

/* The rest of the message that was begun cannot be read: drop it. True: no byte of it was written or will be. */
bool output_buffer_drop_message(struct output_buffer *output_buffer);

int output_buffer_flush(struct output_buffer *output_buffer);

/* How many messages were written. */
size_t output_buffer_written(const struct output_buffer *output_buffer);

/* The signal that came within a message, and was taken from cancel_fd; 0: none. */
int output_buffer_signal(const struct output_buffer *output_buffer);

/* Whether only a part of a message was written. */
bool output_buffer_is_torn(const struct output_buffer *output_buffer);

/* Whether standard output is a pipe. Its reader may end with much of it unread. */
bool output_buffer_is_pipe(void);

/*
 * Wait until the pipe is empty: its reader has read all that was flushed. -EPIPE: the reader is gone. -ECANCELED: a
 * signal came; after it only a second one ends the wait. In both cases only what was read counts as written.
 */
int output_buffer_wait_until_read(struct output_buffer *output_buffer);

/* After -EPIPE: what the reader left in the pipe no longer counts as written. */
void output_buffer_discount_unread(struct output_buffer *output_buffer);

#endif
