/*
 * Messages on their way to standard output: gathered, written many at once, and counted once they are out.
 *
 *     outflow_begin(outflow, count);
 *     outflow_add(outflow, data, size); … outflow_end_message(outflow); …
 *     outflow_flush(outflow);
 *
 * Calls return 0 or what output_write says; then outflow_written() still tells how many messages are out as a whole.
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

void outflow_end_message(struct outflow *outflow);

/* The message that was begun cannot be had to its end. True: nothing of it is out, and nothing will be. */
bool outflow_drop_message(struct outflow *outflow);

int outflow_flush(struct outflow *outflow);

/* How many messages are out. */
size_t outflow_written(const struct outflow *outflow);

#endif
