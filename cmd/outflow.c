/* Messages on their way to standard output. */
#include "outflow.h"

#include <stdlib.h>
#include <string.h>

#include "cli.h"

#define ROOM ((size_t)64 << 10) /* what a pipe takes at once */

struct outflow {
    const struct output_patience *patience;
    uint64_t out;   /* bytes since the count began */
    uint64_t begun; /* where the message begins that is on its way, counted in such bytes */
    uint64_t *ends; /* where each message ends, counted in such bytes */
    size_t ends_room, ended, written;
    size_t used;
    char buffer[ROOM];
};

struct outflow *outflow_new(const struct output_patience *patience)
{
    struct outflow *outflow = cli_must(malloc(sizeof *outflow));
    outflow->patience = patience;
    outflow->ends = NULL;
    outflow->ends_room = 0;
    outflow_begin(outflow, 0);
    return outflow;
}

void outflow_free(struct outflow *outflow)
{
    free(outflow->ends);
    free(outflow);
}

void outflow_begin(struct outflow *outflow, size_t count)
{
    if (count > outflow->ends_room) {
        outflow->ends = cli_must(realloc(outflow->ends, count * sizeof *outflow->ends));
        outflow->ends_room = count;
    }
    outflow->out = outflow->begun = 0;
    outflow->ended = outflow->written = outflow->used = 0;
}

/* What was not written is dropped: its messages go back. */
int outflow_flush(struct outflow *outflow)
{
    size_t written = 0;
    const int error = outflow->used > 0 ? output_write(outflow->buffer, outflow->used, outflow->patience, &written) : 0;
    outflow->out += written;
    outflow->used = 0;
    while (outflow->written < outflow->ended && outflow->ends[outflow->written] <= outflow->out)
        outflow->written++;
    return error;
}

char *outflow_room(struct outflow *outflow, size_t *ret_size)
{
    *ret_size = ROOM - outflow->used;
    return outflow->buffer + outflow->used;
}

int outflow_added(struct outflow *outflow, size_t size)
{
    outflow->used += size;
    return outflow->used == ROOM ? outflow_flush(outflow) : 0;
}

int outflow_add(struct outflow *outflow, const void *data, size_t size)
{
    int error = 0;
    for (const char *at = data; size > 0 && !error;) {
        size_t part;
        char *room = outflow_room(outflow, &part);
        part = size < part ? size : part;
        memcpy(room, at, part);
        at += part;
        size -= part;
        error = outflow_added(outflow, part);
    }
    return error;
}

void outflow_end_message(struct outflow *outflow)
{
    outflow->begun = outflow->out + outflow->used;
    outflow->ends[outflow->ended++] = outflow->begun;
}

bool outflow_drop_message(struct outflow *outflow)
{
    if (outflow->begun < outflow->out)
        return false;
    outflow->used = (size_t)(outflow->begun - outflow->out);
    return true;
}

size_t outflow_written(const struct outflow *outflow)
{
    return outflow->written;
}
