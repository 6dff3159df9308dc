/*
 * Reading a log: entry by entry along the chain. A reader keeps nothing anywhere, so nothing has to be tidied behind it.
 *
 * An entry is read into memory at once, and its messages are shown there, one after the other; a large message that has an
 * entry for itself is read from the file.
 */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fs_error.h"
#include "base/fs_network.h"
#include "base/grow.h"
#include "base/id.h"
#include "base/io.h"
#include "format/decode.h"
#include "format/log_name.h"
#include "format/message.h"
#include "format/shared_headers.h"
#include "log/log.h"

#define IN_MEMORY_MOST (16u << 20) /* bytes of an entry that is read at once */
#define LOOK_EVERY CLOCK_SECOND    /* while waiting, for what no event tells */

struct mq_log_reader {
    mq_log *log;
    uint64_t at; /* of the next message */
    uint64_t missed;
    struct chain_place place;
    bool in_entry;
    uint64_t shown; /* messages of the entry that were shown or passed over */
    char *text;
    size_t size, room, next; /* where in the text the next message begins */
    bool shares;
    struct shared_headers shared;
    mq_message *view;   /* shows the messages in the text */
    mq_message *single; /* a large message; NULL: none */
    int64_t sent_at;
    int inotify; /* -1: not open */
};

int mq_log_reader_new(mq_log *log, uint64_t from, mq_log_reader **ret_reader)
{
    mq_log_reader *reader = calloc(1, sizeof *reader);
    const int error = reader ? mq_message_new(&reader->view) : -ENOMEM;
    if (error) {
        free(reader);
        return error;
    }
    reader->log = log;
    reader->at = from;
    reader->place.file = reader->inotify = -1;
    *ret_reader = reader;
    return 0;
}

static void leave(mq_log_reader *reader)
{
    chain_leave(&reader->place);
    mq_message_free(reader->single);
    reader->single = NULL;
    reader->in_entry = false;
}

void mq_log_reader_free(mq_log_reader *reader)
{
    if (!reader)
        return;
    leave(reader);
    if (reader->inotify >= 0)
        close(reader->inotify);
    mq_message_free(reader->view);
    free(reader->text);
    free(reader);
}

uint64_t mq_log_reader_at(const mq_log_reader *reader)
{
    return reader->at;
}

uint64_t mq_log_reader_missed(const mq_log_reader *reader)
{
    return reader->missed;
}

/* ---- entering an entry ------------------------------------------------------------------ */

/* A message that has the entry for itself, and is too large for the memory. The message takes the file. */
static int open_single(mq_log_reader *reader)
{
    struct message_name name = {.priority = MQ_PRIORITY_DEFAULT, .count = 1};
    size_t headers;
    uint64_t body;
    char ahead[CHAIN_AHEAD];
    memcpy(ahead, reader->place.ahead, reader->place.got);
    int error = decode_extent(ahead, reader->place.got, name.id, &headers, &body);
    if (!error)
        error = decode_file(reader->place.file, &name, &reader->single);
    if (!error)
        reader->place.file = -1;
    return error;
}

static int take_text(mq_log_reader *reader)
{
    reader->next = 0;
    reader->shares = shared_headers_begins(reader->text, reader->size);
    if (!reader->shares)
        return 0;
    const int error = shared_headers_take(reader->text, reader->size, &reader->shared);
    if (error)
        return error;
    reader->next = reader->shared.begin;
    return reader->shared.end == reader->size ? 0 : -EBADMSG;
}

static int read_text(mq_log_reader *reader, size_t size)
{
    const size_t ahead = reader->place.got < size ? reader->place.got : size;
    if (!GROW(reader->text, size, reader->room))
        return -ENOMEM;
    memcpy(reader->text, reader->place.ahead, ahead);
    const ssize_t got = ahead < size ? io_read_at(reader->place.file, reader->text + ahead, size - ahead, ahead) : 0;
    if (got < 0)
        return (int)got;
    reader->size = ahead + (size_t)got;
    return take_text(reader);
}

/* Read the entry that was found. */
static int load(mq_log_reader *reader)
{
    struct stat status;
    if (fstat(reader->place.file, &status) < 0)
        return fs_error();
    const uint64_t size = (uint64_t)status.st_size;
    const uint64_t count = reader->place.next - reader->place.offset;
    reader->sent_at = clock_of_file(&status.st_mtim);
    reader->shown = 0;
    reader->in_entry = true;
    if (size > IN_MEMORY_MOST)
        return count == 1 ? open_single(reader) : -EBADMSG;
    return read_text(reader, (size_t)size);
}

/* The reader stays at the offset until the hole is closed, so that nothing can appear behind it. */
static int pass(mq_log_reader *reader)
{
    const struct chain_place *place = &reader->place;
    uint64_t begin;
    int error = 0;
    if (place->kind == CHAIN_HOLE)
        return log_close_hole(reader->log, place->offset, place->next);
    if (place->kind != CHAIN_BELOW) {
        reader->at = place->next;
        return 0;
    }
    error = chain_beginning(reader->log->dir, &begin);
    if (!error && begin > reader->at) {
        reader->missed += begin - reader->at;
        reader->at = begin;
    }
    return error;
}

/* 1: in an entry of messages; 0: at the end; -EBADMSG: the entry is damaged, and was passed over. */
static int enter(mq_log_reader *reader)
{
    int error = 0;
    while (!error) {
        leave(reader);
        error = chain_locate(reader->log->dir, reader->at, &reader->place);
        if (error)
            return log_explain(reader->log, error);
        if (reader->place.kind == CHAIN_END)
            return 0;
        if (reader->place.kind == CHAIN_ENTRY && !reader->place.is_gap)
            break;
        error = pass(reader);
    }
    if (!error)
        error = reader->place.is_corrupt ? -EBADMSG : load(reader);
    if (error == -EBADMSG)
        reader->at = reader->place.next;
    if (error)
        leave(reader);
    return error ? error : 1;
}

/* ---- messages in the text ------------------------------------------------------------------ */

/* Show the next body as a message with the shared headers. Returns how many bytes it takes; 0: it is not whole. */
static size_t show_sharing(mq_log_reader *reader)
{
    mq_message *message = reader->view;
    char *const body = reader->text + reader->next;
    const char *const end = memchr(body, reader->shared.separator, reader->size - reader->next);
    if (!end)
        return 0;
    id_step(reader->shared.first_id, (int64_t)reader->shown, message->name.id);
    message->ahead = body;
    message->ahead_size = message->body_size = (size_t)(end - body);
    message->body_read = 0;
    shared_headers_show(&reader->shared, message->name.id, message->body_size, message);
    return message->ahead_size + 1;
}

/* Messages that were sent one by one may have become one entry. */
static int64_t when_sent(const mq_log_reader *reader, uint64_t count)
{
    int64_t moment;
    const char *text = count > 1 && !reader->shares ? mq_message_header(reader->view, "Timestamp") : NULL;
    return text && clock_parse_rfc3339(text, &moment) ? moment : reader->sent_at;
}

/* Show the next message of the entry. -EBADMSG: it is not whole, or is the last and something is behind it. */
static int show(mq_log_reader *reader)
{
    const uint64_t count = reader->place.next - reader->place.offset;
    if (reader->single) {
        reader->shown++;
        return 0;
    }
    const size_t used = reader->shares
                            ? show_sharing(reader)
                            : decode_text(reader->text + reader->next, reader->size - reader->next, reader->view);
    reader->next += used;
    reader->shown++;
    if (used > 0)
        reader->view->sent_at = when_sent(reader, count);
    return used == 0 || (reader->shown == count && reader->next != reader->size) ? -EBADMSG : 0;
}

/* Show the message at the reader's offset, which may be in the middle of an entry. */
static int show_next(mq_log_reader *reader, uint64_t *ret_offset)
{
    int error = 0;
    const uint64_t offset = reader->at;
    while (!error && reader->place.offset + reader->shown <= offset)
        error = show(reader);
    *ret_offset = offset;
    if (error) {
        reader->at = reader->place.next;
        leave(reader);
        return error;
    }
    reader->at = offset + 1;
    return 0;
}

int mq_log_next(mq_log_reader *reader, mq_message **ret_message, uint64_t *ret_offset)
{
    if (!reader->in_entry || reader->at >= reader->place.next) {
        const uint64_t at = reader->at;
        const int entered = enter(reader);
        if (entered == -EBADMSG)
            *ret_offset = at > reader->place.offset ? at : reader->place.offset;
        if (entered != 1)
            return entered;
    }
    const int error = show_next(reader, ret_offset);
    if (error)
        return error;
    *ret_message = reader->single ? reader->single : reader->view;
    return 1;
}

/* ---- many bodies at once ---------------------------------------------------------------------- */

int mq_log_next_bodies(mq_log_reader *reader, char separator, uint64_t most, struct iovec *ret_bodies,
                       uint64_t *ret_count)
{
    if (!reader->in_entry || reader->at >= reader->place.next || reader->single || !reader->shares ||
        reader->shared.separator != separator || reader->place.offset + reader->shown != reader->at)
        return 0;
    char *const begin = reader->text + reader->next, *end = begin, *const last = reader->text + reader->size;
    const uint64_t left = reader->place.next - reader->at;
    uint64_t count = 0;
    for (; count < left && count < most && end < last; count++) {
        char *found = memchr(end, separator, (size_t)(last - end));
        if (!found)
            return 0;
        end = found + 1;
    }
    if (count == 0 || (count == left && end != last))
        return 0; /* it is damaged: mq_log_next tells where */
    *ret_bodies = (struct iovec){begin, (size_t)(end - begin)};
    *ret_count = count;
    reader->next += (size_t)(end - begin);
    reader->shown += count;
    reader->at += count;
    return 1;
}

/* ---- waiting ------------------------------------------------------------------------------------ */

/* Watch for the bucket of the next message, and for its entries. Without inotify the reader looks from time to time. */
static void watch(mq_log_reader *reader)
{
    char name[LOG_NAME_SIZE];
    if (reader->inotify < 0)
        reader->inotify = fs_is_network(reader->log->dir) != 0 ? -1 : inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
    if (reader->inotify < 0)
        return;
    log_name_format_bucket(log_bucket_of(reader->at), name);
    const int dir = fs_open_dir(reader->log->entries, name);
    (void)fs_watch_dir(reader->inotify, reader->log->entries, IN_CREATE | IN_MOVED_TO);
    if (dir >= 0) {
        (void)fs_watch_dir(reader->inotify, dir, IN_CREATE | IN_MOVED_TO);
        close(dir);
    }
}

/* 1: there is something to read, or to pass over. */
static int look(mq_log_reader *reader)
{
    leave(reader);
    const int error = chain_locate(reader->log->dir, reader->at, &reader->place);
    const bool is_end = reader->place.kind == CHAIN_END;
    leave(reader);
    if (error || !is_end)
        return error ? log_explain(reader->log, error) : 1;
    const int has = log_has_name(reader->log);
    return has < 0 ? has : has == 1 ? 0 : -ENOENT;
}

static void drain(const mq_log_reader *reader)
{
    char events[4096];
    while (reader->inotify >= 0 && read(reader->inotify, events, sizeof events) > 0)
        ;
}

int mq_log_wait(mq_log_reader *reader, int64_t wait, int cancel_fd)
{
    const int64_t since = clock_monotonic();
    for (;;) {
        watch(reader);
        log_look_at_outbox(reader->log);
        const int found = look(reader);
        if (found)
            return found;
        const int64_t left = wait == MQ_FOREVER ? LOOK_EVERY : wait - (clock_monotonic() - since);
        if (left <= 0)
            return 0;
        const int64_t most = reader->inotify >= 0 ? LOOK_EVERY : LOOK_EVERY / 20;
        struct pollfd fds[] = {{.fd = cancel_fd, .events = POLLIN}, {.fd = reader->inotify, .events = POLLIN}};
        if (poll(fds, 2, (int)((left < most ? left : most) / 1000 + 1)) > 0 && fds[0].revents)
            return -ECANCELED;
        drain(reader);
    }
}
