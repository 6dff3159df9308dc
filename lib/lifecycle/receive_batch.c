/*
 * Receiving several messages by one claim, and settling them in their order.
 *
 *     mq_batch_new(&batch);
 *     got = mq_receive_batch(queue, options, max_count, batch);
 *     while (mq_batch_next(batch, &message) == 1) …
 *     error = mq_batch_ack(queue, batch, done);           the first `done` messages; or mq_batch_release, for the rest
 *     mq_batch_free(batch);
 *
 * A file of several messages is read into memory at once. A file of one message is read as mq_receive reads it.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fs_error.h"
#include "base/grow.h"
#include "base/id.h"
#include "base/io.h"
#include "format/batch.h"
#include "format/decode.h"
#include "format/receipt.h"
#include "format/shared_headers.h"
#include "lifecycle/claim.h"
#include "lifecycle/receive.h"
#include "lifecycle/settle.h"

struct mq_batch {
    struct message_name name; /* as it was claimed */
    char receipt[MQ_RECEIPT_SIZE];
    int64_t ack_timeout;
    int64_t kept_at; /* monotonic */

    mq_message *single; /* the only message; NULL: there are several */
    mq_message *view;   /* shows several messages, one after the other */
    int file;
    char *text;
    size_t size, room;
    size_t at; /* where in the text the next message begins */
    bool shares;
    struct shared_headers shared; /* the headers of all messages, if they share them: in the text, or in `headers` */
    char *headers;
    int64_t sent_at;
    uint32_t handed_out;
    uint32_t acked;    /* of the messages that were handed out */
    bool corrupt;      /* the next message cannot be read */
    uint32_t *offsets; /* where in the file the messages begin, up to the next one */
    size_t offsets_room;
};

int mq_batch_new(mq_batch **ret_batch)
{
    mq_batch *batch = calloc(1, sizeof *batch);
    int error = batch ? mq_message_new(&batch->view) : -ENOMEM;
    if (error) {
        free(batch);
        return error;
    }
    batch->file = -1;
    *ret_batch = batch;
    return 0;
}

static void clear(mq_batch *batch)
{
    mq_message_free(batch->single);
    batch->single = NULL;
    if (batch->file >= 0)
        close(batch->file);
    batch->file = -1;
    free(batch->headers);
    batch->headers = NULL;
    batch->shares = false;
    batch->size = batch->at = 0;
    batch->handed_out = batch->acked = 0;
    batch->corrupt = false;
    batch->name.count = 0;
}

void mq_batch_free(mq_batch *batch)
{
    if (!batch)
        return;
    clear(batch);
    mq_message_free(batch->view);
    free(batch->text);
    free(batch->offsets);
    free(batch);
}

/* ---- receiving -------------------------------------------------------------------- */

static int make_room(mq_batch *batch, size_t size, size_t count)
{
    const bool is_enough = GROW(batch->text, size, batch->room) && GROW(batch->offsets, count, batch->offsets_room);
    return is_enough ? 0 : -ENOMEM;
}

/* If the messages share their headers, find the headers. The text begins with them, unless the first messages of the
   file are done: then they are read from the beginning of the file. */
static int take_shared(mq_batch *batch)
{
    const uint64_t offset = batch->name.offset;
    uint64_t begin;
    size_t size = batch->size;
    const int is_shared = offset ? shared_headers_read(batch->file, &batch->headers, &size)
                                 : shared_headers_begins(batch->text, batch->size);
    if (is_shared != 1)
        return is_shared;
    const int error = shared_headers_take(offset ? batch->headers : batch->text, size, &batch->shared);
    if (error)
        return error;
    batch->shares = true;
    if (!shared_headers_find(&batch->shared, offset + batch->size, offset, batch->name.id, &begin))
        return -EBADMSG;
    batch->at = begin - offset;
    return 0;
}

static int read_text(mq_batch *batch)
{
    struct stat status;
    const uint64_t offset = batch->name.offset;
    if (fstat(batch->file, &status) < 0)
        return fs_error();
    const uint64_t end = (uint64_t)status.st_size;
    const size_t size = end > offset && end <= NAME_BYTES_MAX ? (size_t)(end - offset) : 0; /* 0 is corrupt */
    const int error = make_room(batch, size, (size_t)batch->name.count + 1);
    if (error)
        return error;
    const ssize_t got = io_read_at(batch->file, batch->text, size, offset);
    if (got < 0)
        return (int)got;
    batch->size = (size_t)got;
    batch->sent_at = clock_of_file(&status.st_mtim);
    batch->offsets[0] = (uint32_t)offset;
    const int shared = take_shared(batch);
    batch->corrupt = shared == -EBADMSG; /* the caller is told with the first message */
    return batch->corrupt ? 0 : shared;
}

int receive_batch(struct receive_queues *queues, const struct mq_receive_options *options, uint64_t max_count,
                  mq_batch *batch)
{
    struct claimed claimed;
    clear(batch);
    const int got = receive_claim(queues, options, max_count, &claimed);
    if (got != 1)
        return got;
    mq_queue *queue = queues->queues[queues->which];
    batch->name = claimed.name;
    batch->single = claimed.message;
    batch->ack_timeout = receive_ack_timeout(queue, options);
    batch->kept_at = clock_monotonic();
    receipt_format(mq_queue_name(queue), &claimed.name, batch->receipt);
    if (claimed.message) {
        memcpy(claimed.message->receipt, batch->receipt, sizeof batch->receipt);
        receive_set_offset(queue, &claimed.name, claimed.message);
        return 1;
    }
    batch->file = claimed.file;
    receive_set_offset(queue, &claimed.name, batch->view);
    const int error = read_text(batch);
    if (!error)
        return 1;
    (void)mq_release(queue, batch->receipt);
    /* There may be enough memory for one message. */
    return error == -ENOMEM && max_count > 1 ? receive_batch(queues, options, 1, batch) : error;
}

int mq_receive_batch(mq_queue *queue, const struct mq_receive_options *options, uint64_t max_count, mq_batch *batch)
{
    return receive_batch(RECEIVE_ONE(queue), options, max_count, batch);
}

int receive_view(mq_batch *batch, int file, const struct message_name *name)
{
    clear(batch);
    batch->name = *name;
    batch->file = file;
    return read_text(batch);
}

void receive_extent(const mq_batch *batch, uint32_t *ret_offset, uint32_t *ret_length)
{
    const uint32_t *const offset = &batch->offsets[batch->handed_out - 1];
    *ret_offset = offset[0];
    *ret_length = offset[1] - offset[0];
}

size_t mq_batch_count(const mq_batch *batch)
{
    return batch->name.count;
}

const char *mq_batch_receipt(const mq_batch *batch)
{
    return batch->receipt;
}

/* Show the next body as a message with the shared headers. Returns how many bytes the body and its separator take; 0:
   the body is not whole. */
static size_t next_sharing(mq_batch *batch, mq_message *message)
{
    char *const body = batch->text + batch->at;
    const char *const end = memchr(body, batch->shared.separator, batch->size - batch->at);
    if (!end)
        return 0;
    if (batch->handed_out == 0)
        strcpy(message->name.id, batch->name.id);
    else
        id_increment(message->name.id);
    message->ahead = body;
    message->ahead_size = message->body_size = (size_t)(end - body);
    message->body_read = 0;
    shared_headers_show(&batch->shared, message->name.id, message->body_size, message);
    return message->ahead_size + 1;
}

static int next_of_several(mq_batch *batch, mq_message **ret_message)
{
    mq_message *message = batch->view;
    const uint32_t index = batch->handed_out;
    const size_t used = batch->corrupt  ? 0
                        : batch->shares ? next_sharing(batch, message)
                                        : decode_text(batch->text + batch->at, batch->size - batch->at, message);
    const bool is_last = index + 1 == batch->name.count;
    if (used == 0 || (is_last && batch->at + used != batch->size))
        return -EBADMSG;
    batch->at += used;
    message->offset += index > 0; /* if it has one */
    batch->offsets[index + 1] = batch->name.offset + (uint32_t)batch->at;
    message->name.priority = batch->name.priority;
    message->name.attempts = batch->name.attempts;
    message->name.expires = batch->name.expires;
    memcpy(message->name.others, batch->name.others, sizeof message->name.others);
    message->sent_at = batch->sent_at;
    *ret_message = message;
    return 1;
}

int mq_batch_next(mq_batch *batch, mq_message **ret_message)
{
    if (batch->handed_out == batch->name.count)
        return 0;
    if (batch->single)
        *ret_message = batch->single;
    const int got = batch->single ? 1 : next_of_several(batch, ret_message);
    batch->handed_out += got == 1;
    batch->corrupt = got == -EBADMSG;
    return got;
}

/* ---- settling --------------------------------------------------------------------- */

/* Ack the first `done` messages. The others stay claimed for `ack_timeout` from now; 0: they are given back. */
static int settle_rest(mq_queue *queue, mq_batch *batch, size_t done, int64_t ack_timeout)
{
    struct batch_part next;
    const bool corrupt = batch->corrupt && done == batch->handed_out;
    char id[MQ_ID_SIZE];
    batch_step_id(batch->name.id, (int64_t)done, id);
    int error = corrupt ? 0 : batch_read_part(batch->file, batch->offsets[done], id, &next);
    if (error)
        return error;
    batch->kept_at = clock_monotonic();
    error = settle_progress(queue, batch->receipt,
                            &(struct settle_progress){.claimed = &batch->name,
                                                      .position = batch->name.position + done,
                                                      .offset = batch->offsets[done],
                                                      .id = corrupt ? batch->name.id : next.id,
                                                      .ack_timeout = ack_timeout,
                                                      .corrupt = corrupt});
    if (!error)
        batch->acked = (uint32_t)done;
    return error;
}

/* A message must not be acked before it was handed out, and an acked message must not come back. */
static bool may_be_done(const mq_batch *batch, size_t done)
{
    return batch->name.count > 0 && batch->acked <= done && done <= batch->handed_out;
}

int mq_batch_ack(mq_queue *queue, mq_batch *batch, size_t done)
{
    if (!may_be_done(batch, done))
        return -EINVAL;
    if (done == 0)
        return 0;
    return done < batch->name.count ? settle_rest(queue, batch, done, batch->ack_timeout)
                                    : mq_ack(queue, batch->receipt);
}

int mq_batch_release(mq_queue *queue, mq_batch *batch, size_t done)
{
    if (!may_be_done(batch, done))
        return -EINVAL;
    if (done == 0 && !batch->corrupt)
        return mq_release(queue, batch->receipt);
    return done < batch->name.count ? settle_rest(queue, batch, done, 0) : mq_ack(queue, batch->receipt);
}

int mq_batch_keep(mq_queue *queue, mq_batch *batch)
{
    const int64_t now = clock_monotonic();
    if (batch->name.count == 0)
        return -EINVAL;
    if (now - batch->kept_at < batch->ack_timeout / 2)
        return 0;
    batch->kept_at = now;
    return mq_extend(queue, batch->receipt, batch->ack_timeout);
}
