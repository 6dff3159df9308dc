/* Sending the body of the command line, or the messages of a stream. */
#include "send/sending.h"

#include "base/clock.h"
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/output.h"
#include "io/records.h"
#include "message/json_read.h"
#include "send/request.h"
#include "send/send_buffer.h"

/* Where a message comes from. */
struct source {
    const char *file; /* NULL: standard input or the arguments */
    uint64_t record;  /* counted from 1; 0: the whole file */
};

/* ---- failures -------------------------------------------------------------------- */

static int fail(const struct sending *sending, int status, const struct source *source, const char *problem,
                const char *detail)
{
    char record[40] = "", tally[40] = "";
    if (source->record)
        snprintf(record, sizeof record, "record %" PRIu64 ": ", source->record);
    if (sending->tallies)
        snprintf(tally, sizeof tally, "; %" PRIu64 " sent", sending->sent);
    return cli_fail(status, sending->to.name, "%s%s%s%s%s%s%s", source->file ? source->file : "",
                    source->file ? ": " : "", record, problem, *detail ? ": " : "", detail, tally);
}

static int refused_by_topic(const struct sending *sending, const struct source *source, int error)
{
    char problem[256];
    if (error == -ENXIO)
        return fail(sending, STATUS_NOTHING, source, "cannot publish", "no binding takes it");
    if (error == -EINPROGRESS)
        return fail(sending, STATUS_UNSAFE, source, "sent", cli_reason(error));
    if (error == -EBADMSG && mq_topic_explain(cli_spool, sending->to.name, problem, sizeof problem) == 1)
        return fail(sending, STATUS_CONFIG, source, "bad bindings", problem);
    if (error == -EBADMSG)
        return fail(
            sending, STATUS_CONFIG, source, "cannot publish",
            sending->options.once
                ? "bad configuration of a topic or queue it goes to, or a damaged mark in the topic's feed/sent/"
                : "bad configuration of a topic or queue it goes to");
    if (sending->options.once && error == -EACCES)
        return fail(sending, STATUS_PERMISSION, source, "cannot send once",
                    "Permission denied; it takes all rights to the topic");
    if (error == -EMSGSIZE)
        return fail(sending, STATUS_DATA, source, "cannot publish", "the body is larger than max-size of a queue");
    if (error == -ENOBUFS)
        return fail(sending, STATUS_TRY_LATER, source, "cannot publish", "a queue it goes to is full");
    if (error == -ESHUTDOWN || error == -ENODATA) {
        snprintf(problem, sizeof problem, "%s, where it goes: %s", mq_topic_refused_by(sending->to.topic),
                 cli_reason(error));
        return fail(sending, cli_status(error), source, "cannot publish", problem);
    }
    if (error == -ESTALE)
        return fail(sending, STATUS_NOTHING, source, "cannot publish", "the transaction has ended");
    if (error == -EOPNOTSUPP)
        return fail(sending, STATUS_USAGE, source, "cannot publish", "it goes to a log, which takes no delay");
    return fail(sending, cli_status(error), source, "cannot publish", cli_reason(error));
}

static int refused_by_log(const struct sending *sending, const struct source *source, int error)
{
    char limit[64] = "the body is larger than max-size = ", problem[256];
    const size_t length = strlen(limit);
    if (sending->options.once && error == -EBADMSG)
        return fail(sending, STATUS_DATA, source, "cannot send once",
                    "the mark of this id in the log's sent/ is damaged");
    if (error == -EOPNOTSUPP)
        return fail(sending, STATUS_USAGE, source, "cannot append",
                    "a log keeps one order: priorities, delays, expiry and max-attempts are for queues");
    if (error == -EMSGSIZE &&
        mq_log_config_get(sending->to.log, "max-size", limit + length, sizeof limit - length) == 0)
        return fail(sending, STATUS_DATA, source, "cannot append", limit);
    if (error == -EBADMSG && mq_log_config_explain(cli_spool, sending->to.name, problem, sizeof problem) == 1)
        return fail(sending, STATUS_CONFIG, source, "bad configuration", problem);
    if (error == -EUCLEAN)
        return fail(
            sending, STATUS_DATA, source, "cannot append",
            "the log is damaged: it lacks a part, or something else has its name; mq-log create makes what it lacks");
    if (error == -ENOENT)
        return fail(sending, STATUS_NO_QUEUE, source, "cannot append", "the log was deleted");
    if (error == -ESTALE)
        return fail(sending, STATUS_NOTHING, source, "cannot append", "the transaction has ended");
    return fail(sending, cli_status(error), source, "cannot append", cli_reason(error));
}

static int refused_for_headers(const struct sending *sending, const struct source *source)
{
    char names[MQ_QUEUE_NAME_SIZE], problem[MQ_QUEUE_NAME_SIZE + 64];
    if (mq_config_get(sending->to.queue, "require", names, sizeof names) != 0)
        return fail(sending, STATUS_DATA, source, "cannot publish", cli_reason(-ENODATA));
    snprintf(problem, sizeof problem, "it lacks a header that the queue requires: require = %s", names);
    return fail(sending, STATUS_DATA, source, "cannot publish", problem);
}

static int refused(const struct sending *sending, const struct source *source, int error)
{
    char limit[64] = "the body is larger than max-size = ", problem[256];
    const size_t length = strlen(limit);
    if (sending->to.topic)
        return refused_by_topic(sending, source, error);
    if (sending->to.log)
        return refused_by_log(sending, source, error);
    if (error == -EBADMSG && mq_config_explain(cli_spool, sending->to.name, problem, sizeof problem) == 1)
        return fail(sending, STATUS_CONFIG, source, "bad configuration", problem);
    if (error == -EMSGSIZE && mq_config_get(sending->to.queue, "max-size", limit + length, sizeof limit - length) == 0)
        return fail(sending, STATUS_DATA, source, "cannot publish", limit);
    if (error == -ENODATA)
        return refused_for_headers(sending, source);
    if (sending->options.once && error == -EOPNOTSUPP)
        return fail(sending, STATUS_USAGE, source, "cannot send once",
                    "a message that is sent once has no max-attempts");
    if (error == -EDOM)
        return fail(sending, STATUS_USAGE, source, "cannot publish", "an ordered queue has no priorities");
    if (sending->options.once && error == -EACCES)
        return fail(sending, STATUS_PERMISSION, source, "cannot send once",
                    "Permission denied; it takes all rights to the queue");
    if (sending->options.once && error == -EBADMSG)
        return fail(sending, STATUS_DATA, source, "cannot send once",
                    "the mark of this id in sent/ is damaged; mq-queue check --repair moves it aside");
    if (error == -ESTALE)
        return fail(sending, STATUS_NOTHING, source, "cannot publish", "the transaction has ended");
    return fail(sending, cli_status(error), source, "cannot publish", cli_reason(error));
}

int sending_fail_file(const struct sending *sending, int error, const char *file, const char *what)
{
    return fail(sending, cli_status(error), &(struct source){.file = file}, what, cli_reason(error));
}

/* ---- one at a time --------------------------------------------------------------- */

/* What was sent: the ids, and where they are known the offsets in a log, and which are duplicates. */
struct receipts {
    char (*ids)[MQ_ID_SIZE];
    uint64_t *offsets;
    bool *duplicates;
};

static void note_sent(const struct sending *sending, const struct receipts *receipts, size_t i)
{
    if (sending->to.log && receipts->offsets && receipts->offsets[i] != MQ_NO_OFFSET)
        cli_note(sending->to.name, "sent %s at offset %" PRIu64, receipts->ids[i], receipts->offsets[i]);
    else if (receipts->duplicates && receipts->duplicates[i])
        cli_note(sending->to.name, "duplicate of %s, not sent again", receipts->ids[i]);
    else
        cli_note(sending->to.name, "sent %s", receipts->ids[i]);
}

/* Print the ids, each followed by a newline. */
static int print_ids(const struct sending *sending, const struct receipts *receipts, size_t count,
                     const struct source *source)
{
    char *text = cli_must(malloc(count * MQ_ID_SIZE + 1)), *end = text;
    for (size_t i = 0; i < count; i++) {
        note_sent(sending, receipts, i);
        end = stpcpy(end, receipts->ids[i]);
        *end++ = '\n';
    }
    const int error = cli_quiet ? 0 : output_print(text, (size_t)(end - text));
    free(text);
    return error ? fail(sending, STATUS_IO, source, "sent, but its id cannot be printed", cli_reason(error))
                 : STATUS_DONE;
}

/* Send the request, and wait for its reply. */
static int ask(struct sending *sending, mq_message *message, const struct source *source)
{
    mq_queue *replies;
    char id[MQ_ID_SIZE];
    int status = request_open(sending->to.queue, message, sending->reply_timeout, &replies);
    if (status != STATUS_DONE)
        return status;
    sending->options.cancel_fd = request_cancel_fd();
    const int error = mq_send(sending->to.queue, message, &sending->options, id);
    if (!error)
        cli_note(sending->to.name, "sent %s", id);
    if (error && error != -ECANCELED)
        status = refused(sending, source, error);
    else if (!error)
        status = request_wait(replies, sending->to.queue, id, sending->reply_timeout);
    return request_close(replies, status);
}

static int send_message(struct sending *sending, mq_message *message, const struct source *source)
{
    char id[1][MQ_ID_SIZE];
    uint64_t offset;
    bool is_duplicate = false;
    if (sending->request)
        return ask(sending, message, source);
    sending->options.ret_duplicates = &is_duplicate;
    const int error = destination_send(&sending->to, message, &sending->options, id[0], &offset);
    if (error && error != -EINPROGRESS)
        return refused(sending, source, error);
    sending->sent++;
    const int status = print_ids(sending, &(struct receipts){id, &offset, &is_duplicate}, 1, source);
    return error ? refused(sending, source, error) : status;
}

int sending_bytes(struct sending *sending, const char *data, size_t size, const char *file)
{
    int status;
    mq_message *message = sending->make(&status);
    if (!message)
        return status;
    mq_message_set_body(message, data, size);
    status = send_message(sending, message, &(struct source){.file = file});
    mq_message_free(message);
    return status;
}

static int send_whole(struct sending *sending, int fd, const char *file)
{
    int status;
    mq_message *message = sending->make(&status);
    if (!message)
        return status;
    mq_message_set_body_fd(message, fd);
    status = send_message(sending, message, &(struct source){.file = file});
    mq_message_free(message);
    return status;
}

/* ---- many ------------------------------------------------------------------------ */

struct stream {
    struct sending *sending;
    struct records records;
    struct send_buffer *send_buffer;
    struct source source; /* the record that is read next */
    int64_t first_at;     /* when the first record in the buffer came; monotonic */
    struct receipts receipts;
    uint64_t bytes; /* of the records in the buffer */
};

/* Send the messages in the buffer. */
static int flush(struct stream *stream)
{
    struct sending *sending = stream->sending;
    struct source first = stream->source;
    size_t sent;
    if (send_buffer_count(stream->send_buffer) == 0)
        return STATUS_DONE;
    first.record -= send_buffer_count(stream->send_buffer);
    const struct receipts *receipts = &stream->receipts;
    const int error = send_buffer_send(stream->send_buffer, &sending->to, &sending->options, receipts->ids,
                                       receipts->offsets, &sent);
    sending->sent += sent;
    sending->bytes += stream->bytes;
    stream->bytes = 0;
    progress_update(sending->progress, sending->sent, sending->bytes, sending->bytes_in_all);
    records_let_go(&stream->records);
    const int status = receipts->ids && sent > 0 ? print_ids(sending, receipts, sent, &first) : STATUS_DONE;
    first.record += sent;
    return error ? refused(sending, &first, error) : status;
}

static int add(struct stream *stream, char *text, size_t size)
{
    const char *problem = NULL;
    stream->bytes += size + 1; /* and its separator */
    const bool json = stream->sending->framing == 'j';
    if (json && json_is_blank(text, size)) {
        if (send_buffer_count(stream->send_buffer) == 0)
            records_let_go(&stream->records);
        return STATUS_DONE;
    }
    if (send_buffer_count(stream->send_buffer) == 0)
        stream->first_at = clock_monotonic();
    int status = json ? send_buffer_add_json(stream->send_buffer, text, size, &problem)
                      : send_buffer_add_bytes(stream->send_buffer, text, size);
    if (problem) { /* the good records before it are sent and counted */
        status = cli_worse(flush(stream), STATUS_DATA);
        return fail(stream->sending, status, &stream->source, problem, "");
    }
    stream->source.record++;
    return status == STATUS_DONE && send_buffer_is_full(stream->send_buffer) ? flush(stream) : status;
}

/* How long to wait for the next record: as long as those in the buffer may still linger; if it is empty, for ever. */
static int patience(const struct stream *stream)
{
    if (send_buffer_count(stream->send_buffer) == 0)
        return RECORDS_PATIENT;
    const int64_t waited = (clock_monotonic() - stream->first_at) / 1000, left = stream->sending->linger - waited;
    return left > 0 ? (int)left : 0;
}

static int read_all(struct stream *stream)
{
    char *text;
    size_t size;
    int got = 1, status = STATUS_DONE;
    while (status == STATUS_DONE && got != 0) {
        got = records_at_hand(&stream->records, &text, &size);
        if (got == 0) /* the time is looked up only if no record is at hand */
            got = records_next(&stream->records, patience(stream), &text, &size);
        if (got == 1)
            status = add(stream, text, size);
        else if (got == 0 || got == -EAGAIN || got == -ETIMEDOUT)
            status = flush(stream);
        else
            break;
    }
    if (got >= 0 || status != STATUS_DONE)
        return status;
    status = flush(stream);
    if (status != STATUS_DONE)
        return status;
    return got == -EMSGSIZE
               ? fail(stream->sending, STATUS_DATA, &stream->source, "longer than 64 MiB", "")
               : fail(stream->sending, cli_status(got), &stream->source, "cannot read the input", cli_reason(got));
}

static int send_records(struct sending *sending, int fd, const char *file)
{
    const size_t capacity = destination_batch_most(&sending->to, &sending->options);
    struct stream stream = {
        .sending = sending,
        .records = {.fd = fd, .separator = sending->framing == '0' ? '\0' : '\n', .together = capacity},
        .send_buffer = send_buffer_new(capacity, sending->make),
        .source = {.file = file, .record = 1}};
    if (!cli_quiet || cli_verbose)
        stream.receipts.ids = cli_must(malloc(capacity * sizeof *stream.receipts.ids));
    if (cli_verbose && sending->to.log)
        stream.receipts.offsets = cli_must(calloc(capacity, sizeof *stream.receipts.offsets));
    if (sending->options.once)
        sending->options.ret_duplicates = stream.receipts.duplicates = cli_must(
            calloc(capacity, sizeof *stream.receipts.duplicates));
    const int status = read_all(&stream);
    records_release(&stream.records);
    send_buffer_free(stream.send_buffer);
    free(stream.receipts.ids);
    free(stream.receipts.offsets);
    free(stream.receipts.duplicates);
    return status;
}

int sending_stream(struct sending *sending, int fd, const char *file)
{
    return sending->framing ? send_records(sending, fd, file) : send_whole(sending, fd, file);
}
