/* mq-queue output. */
#include "queue/result_output.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/id.h"
#include "base/io.h"
#include "cli/cli.h"
#include "cli/output.h"
#include "queue/result_list.h"

#define CHUNK 65536

/* A file of standard error may be made at any time, and changes are not told everywhere. */
#define LOOK_EVERY 200 /* milliseconds */

struct printing {
    mq_queue *queue;
    const struct mq_result_entry *entry;
    int files[MQ_STREAMS]; /* -1: not open */
    uint64_t at[MQ_STREAMS];
    int inotify; /* -1: there is none */
};

static int put(enum mq_stream stream, const char *bytes, size_t size)
{
    return stream == MQ_STDOUT ? output_print(bytes, size) : io_write_all(STDERR_FILENO, bytes, size);
}

/* Print what is there of a stream and was not printed yet, up to the size that its name tells once it has ended. */
static int print_more(struct printing *printing, enum mq_stream stream, uint64_t end)
{
    char bytes[CHUNK];
    uint64_t *at = &printing->at[stream];
    while (*at < end) {
        const size_t most = end - *at < sizeof bytes ? (size_t)(end - *at) : sizeof bytes;
        const ssize_t got = io_read_at(printing->files[stream], bytes, most, *at);
        if (got <= 0)
            return (int)got;
        const int error = put(stream, bytes, (size_t)got);
        if (error)
            return error;
        *at += (uint64_t)got;
    }
    return 0;
}

static int open_stream(struct printing *printing, enum mq_stream stream)
{
    if (printing->files[stream] >= 0)
        return 0;
    const int file = mq_result_open(printing->queue, printing->entry, stream);
    printing->files[stream] = file;
    if (file >= 0 && printing->inotify >= 0)
        (void)fs_watch_file(printing->inotify, file, IN_MODIFY | IN_CLOSE_WRITE);
    return file == -ENOENT && stream == MQ_STDERR ? 0 : file < 0 ? file : 0;
}

static int print_all(struct printing *printing, const uint64_t *ends)
{
    int error = 0;
    for (int stream = 0; stream < MQ_STREAMS && !error; stream++) {
        error = open_stream(printing, (enum mq_stream)stream);
        if (!error && printing->files[stream] >= 0)
            error = print_more(printing, (enum mq_stream)stream, ends ? ends[stream] : UINT64_MAX);
    }
    return error;
}

/* ---- following ---------------------------------------------------------------------- */

/* Sleep until one of the files changes, or a moment has passed. */
static void wait_for_change(const struct printing *printing)
{
    char events[4096];
    struct pollfd changes = {.fd = printing->inotify, .events = POLLIN};
    if (poll(&changes, 1, LOOK_EVERY) > 0 && read(printing->inotify, events, sizeof events) < 0)
        return; /* whatever it was, the files are looked at */
}

/* What was printed before the command ended is there when it is known to have ended. */
static int follow(struct printing *printing)
{
    int error = open_stream(printing, MQ_STDOUT);
    for (int running = 1; !error && running == 1;) {
        running = mq_result_is_running(printing->files[MQ_STDOUT]);
        error = running < 0 ? running : print_all(printing, NULL);
        if (!error && running == 1)
            wait_for_change(printing);
    }
    return error;
}

/* ---- printing ----------------------------------------------------------------------- */

/* A file that is shorter than its name says was not on the disk when the power went. */
static int check_whole(const struct printing *printing)
{
    for (int stream = 0; stream < MQ_STREAMS; stream++)
        if (printing->at[stream] < printing->entry->bytes[stream])
            return cli_fail(STATUS_DATA, mq_queue_name(printing->queue),
                            "%s: a part of what it printed is lost, by a loss of power or by somebody's hand",
                            printing->entry->id);
    if (printing->entry->cut)
        cli_note(mq_queue_name(printing->queue), "%s: it printed more, which was not kept", printing->entry->id);
    return STATUS_DONE;
}

static int print(mq_queue *queue, const struct mq_result_entry *entry, bool follows)
{
    const bool runs = entry->outcome == MQ_OUTCOME_RUNNING;
    struct printing printing = {.queue = queue, .entry = entry, .files = {-1, -1}, .inotify = -1};
    if (runs && follows)
        printing.inotify = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
    const int error = runs && follows ? follow(&printing) : print_all(&printing, entry->ended ? entry->bytes : NULL);
    for (int stream = 0; stream < MQ_STREAMS; stream++)
        if (printing.files[stream] >= 0)
            close(printing.files[stream]);
    if (printing.inotify >= 0)
        close(printing.inotify);
    if (error == -ENOENT)
        return result_list_explain(queue, entry->id);
    if (error)
        return cli_error(error, mq_queue_name(queue), "cannot print the output");
    return runs && follows ? STATUS_DONE : check_whole(&printing);
}

int result_output_print(const char *name, const char *id, unsigned attempt, bool follows)
{
    mq_queue *queue;
    struct selection selection = {0};
    struct result_list list = {0};
    const struct result_wish wish = {.selection = &selection, .attempt = attempt};
    if (!id_is_valid(id))
        return cli_fail(STATUS_USAGE, name, "'%s': not an id", id);
    int status = cli_open(name, 0, &queue);
    if (status != STATUS_DONE)
        return status;
    selection_add_id(&selection, id);
    status = result_list_gather(queue, &wish, &list);
    if (status == STATUS_DONE && list.count > 0)
        status = print(queue, &list.items[list.count - 1].entry, follows);
    else if (status == STATUS_DONE && attempt > 0)
        status = cli_fail(STATUS_NOTHING, name, "%s: no result is kept of attempt %u: mq-queue history tells of which",
                          id, attempt);
    else if (status == STATUS_DONE)
        status = result_list_explain(queue, id);
    result_list_release(&list);
    free(selection.ids);
    mq_close(queue);
    return status;
}
