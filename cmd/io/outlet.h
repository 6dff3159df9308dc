/*
 * One of the worker's own streams, which the output of its commands is passed on to. A write never blocks: what the stream
 * does not take waits here, and the commands that write to it wait with it.
 *
 *     if (!outlet_is_ready(&outlet))
 *         … wait until outlet.fd is writable …
 *     outlet_put(&outlet, bytes, size);
 */
#ifndef OUTLET_H
#define OUTLET_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>

#define OUTLET_PIECE PIPE_BUF /* the most bytes that a writable pipe takes at once */

struct outlet {
    int fd;
    char *text; /* from `start` to `end` it has not been taken yet */
    size_t start, end, room;
};

/* Write what waits. True: nothing waits any more, and a piece can be written at once. */
bool outlet_is_ready(struct outlet *outlet);

/* Add to what waits, and write as much as the stream takes. If the stream cannot be written any more, or memory is out, the
   bytes are dropped: the work of the commands goes on. */
void outlet_put(struct outlet *outlet, const char *bytes, size_t size);

/* Add a text of several parts, and write nothing yet. */
void outlet_add(struct outlet *outlet, const char *bytes, size_t size);

void outlet_release(struct outlet *outlet);

#endif
