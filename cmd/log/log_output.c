/* Records for standard output. */
#include "log/log_output.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/grow.h"
#include "cli/cli.h"
#include "cli/output.h"
#include "cli/signals.h"

#define ROOM ((size_t)256 << 10)
#define NO_SEPARATOR (-1)

/* Bytes that end with a record: the only one, or one of those that a separator ends. */
struct run {
    size_t end;
    int separator;
};

struct log_output {
    struct output_patience patience;
    int signal;
    bool is_torn; /* what was written ends within a record */
    bool has_failed;
    struct run *runs; /* of the gathered bytes; what is behind the last one belongs to the open record */
    size_t count, runs_room;
    size_t used;
    char buffer[ROOM];
};

struct log_output *log_output_new(int cancel_fd)
{
    struct log_output *output = cli_must(calloc(1, sizeof *output));
    output->patience = (struct output_patience){.cancel_fd = cancel_fd, .milliseconds = -1};
    return output;
}

void log_output_free(struct log_output *output)
{
    free(output->runs);
    free(output);
}

/* ---- writing ------------------------------------------------------------------------- */

/* Bytes that are being written, and where records end in them. */
struct piece {
    const char *data;
    size_t size;
    const struct run *runs;
    size_t count;
};

/* How many bytes to write so that the record ends in which `written` bytes end. SIZE_MAX: its end is not in this piece. */
static size_t end_of_record(const struct log_output *output, const struct piece *piece, size_t written)
{
    size_t begin = 0;
    const bool is_within = written > 0 || output->is_torn;
    for (size_t i = 0; i < piece->count && is_within; begin = piece->runs[i++].end) {
        const struct run *run = &piece->runs[i];
        if (written >= run->end)
            continue;
        if (written == begin && !(begin == 0 && output->is_torn))
            return written;
        if (run->separator == NO_SEPARATOR)
            return run->end;
        if (written > begin && piece->data[written - 1] == (char)run->separator)
            return written;
        const char *end = memchr(piece->data + written, run->separator, run->end - written);
        return end ? (size_t)(end + 1 - piece->data) : run->end;
    }
    return !is_within || (written == begin && begin > 0) ? written : SIZE_MAX;
}

/* Whether the last byte of the piece that was written is within a record. */
static bool ends_within(const struct piece *piece)
{
    return piece->count == 0 || piece->runs[piece->count - 1].end < piece->size;
}

/* A signal came, which ends the output behind the record that was begun. If its end is not here yet, the caller goes on
   adding to it. */
static int finish(struct log_output *output, const struct piece *piece, size_t written)
{
    const size_t end = end_of_record(output, piece, written);
    const size_t to = end == SIZE_MAX ? piece->size : end;
    size_t more = 0;
    if (end != written)
        output->signal = signals_take(output->patience.cancel_fd);
    const int error = to > written ? output_write(piece->data + written, to - written, &output->patience, &more) : 0;
    output->is_torn = end == SIZE_MAX || written + more < to;
    return error ? error : end == SIZE_MAX ? 0 : -ECANCELED;
}

static int write_piece(struct log_output *output, const struct piece *piece)
{
    size_t written = 0;
    int error = piece->size > 0 ? output_write(piece->data, piece->size, &output->patience, &written) : 0;
    if (error == -ECANCELED && !output->signal)
        error = finish(output, piece, written);
    else if (piece->size > 0)
        output->is_torn = error || ends_within(piece);
    output->has_failed = error != 0;
    return error;
}

int log_output_flush(struct log_output *output)
{
    const int error = write_piece(output, &(struct piece){output->buffer, output->used, output->runs, output->count});
    output->used = output->count = 0;
    return error;
}

/* ---- gathering ----------------------------------------------------------------------- */

static void note_run(struct log_output *output, int separator)
{
    if (!GROW(output->runs, output->count + 1, output->runs_room))
        cli_must(NULL);
    output->runs[output->count++] = (struct run){output->used, separator};
}

/* Gather a few bytes; write many from where they lie, behind what is gathered. 1: they were written. */
static int put(struct log_output *output, const char *data, size_t size, const struct run *run)
{
    int error = size > ROOM - output->used || size > ROOM / 4 ? log_output_flush(output) : 0;
    if (!error && size > ROOM / 4) {
        error = write_piece(output, &(struct piece){data, size, run, run ? 1 : 0});
        return error ? error : 1;
    }
    if (!error) {
        memcpy(output->buffer + output->used, data, size);
        output->used += size;
    }
    return error;
}

int log_output_add(struct log_output *output, const char *data, size_t size)
{
    const int done = size > 0 ? put(output, data, size, NULL) : 0;
    return done < 0 ? done : 0;
}

int log_output_end(struct log_output *output)
{
    if (output->used == 0)
        output->is_torn = false; /* all of it is written */
    else
        note_run(output, NO_SEPARATOR);
    if (!output->signal)
        return 0;
    const int error = log_output_flush(output);
    return error ? error : -ECANCELED;
}

int log_output_add_records(struct log_output *output, const char *data, size_t size, char separator)
{
    const int done = put(output, data, size, &(struct run){size, separator});
    if (done == 0)
        note_run(output, separator);
    return done < 0 ? done : 0;
}

int log_output_signal(const struct log_output *output)
{
    return output->signal;
}

bool log_output_is_torn(const struct log_output *output)
{
    return output->is_torn;
}

bool log_output_has_failed(const struct log_output *output)
{
    return output->has_failed;
}
