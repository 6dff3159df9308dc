/* Printing messages of a log. */
#include "log/log_read.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/signals.h"
#include "log/log_output.h"
#include "message/json_write.h"

struct reader {
    const struct log_reading *wanted;
    mq_log *log;
    mq_log_reader *from;
    mq_filter *filter; /* NULL: all */
    struct log_output *output;
    int cancel_fd;
    uint64_t to; /* the offset to end before */
    uint64_t printed;
    uint64_t missed; /* of those that were reported */
    bool damaged;
};

/* ---- output -------------------------------------------------------------------------- */

static int put_body(struct reader *reader, mq_message *message)
{
    char part[32768];
    for (uint64_t left = mq_message_size(message); left > 0;) {
        const ssize_t got = mq_message_read(message, part, sizeof part);
        if (got <= 0)
            return got < 0 ? (int)got : -EBADMSG;
        left -= (uint64_t)got;
        const int error = log_output_add(reader->output, part, (size_t)got);
        if (error)
            return error;
    }
    return reader->wanted->framing ? log_output_add(reader->output, reader->wanted->framing == 'l' ? "\n" : "", 1) : 0;
}

static int put_json(struct reader *reader, mq_message *message, uint64_t offset)
{
    struct json_text text = {0};
    const struct json_shown shown = {.queue = mq_log_name(reader->log), .no_attempts = true};
    int error = json_from_message(message, &shown, &text);
    json_text_number(&text, "offset", offset);
    if (!error)
        error = json_text_end(&text);
    if (!error)
        error = log_output_add(reader->output, text.data, text.size);
    json_text_release(&text);
    return error;
}

/* ---- reading ---------------------------------------------------------------------------- */

static uint64_t left(const struct reader *reader)
{
    const uint64_t at = mq_log_reader_at(reader->from);
    uint64_t most = at < reader->to ? reader->to - at : 0;
    if (reader->wanted->most && reader->wanted->most - reader->printed < most)
        most = reader->wanted->most - reader->printed;
    return most;
}

static void tell_missed(struct reader *reader)
{
    const uint64_t missed = mq_log_reader_missed(reader->from);
    if (missed > reader->missed && !cli_quiet)
        (void)cli_fail(STATUS_DONE, mq_log_name(reader->log), "%" PRIu64 " messages were removed before they were read",
                       missed - reader->missed);
    reader->missed = missed;
}

static void tell_damaged(struct reader *reader, uint64_t offset)
{
    const uint64_t next = mq_log_reader_at(reader->from);
    reader->damaged = true;
    if (next > offset + 1)
        (void)cli_fail(STATUS_DATA, mq_log_name(reader->log),
                       "damaged: the messages %" PRIu64 " to %" PRIu64 " cannot be read", offset, next - 1);
    else
        (void)cli_fail(STATUS_DATA, mq_log_name(reader->log), "damaged: the message %" PRIu64 " cannot be read",
                       offset);
}

/* Print as many messages as lie ready in one piece, or one. 1 printed, or passed over; 0: there is none yet. */
static int print_some(struct reader *reader)
{
    struct iovec bodies;
    mq_message *message;
    uint64_t count, offset = 0;
    const int framing = cli_json ? 'j' : reader->wanted->framing;
    const char separator = framing == 'l' ? '\n' : '\0';
    const bool at_once = !reader->filter && (framing == 'l' || framing == '0') &&
                         mq_log_next_bodies(reader->from, separator, left(reader), &bodies, &count) == 1;
    if (at_once) {
        const int error = log_output_add_records(reader->output, bodies.iov_base, bodies.iov_len, separator);
        reader->printed += count;
        return error ? error : 1;
    }
    const int got = mq_log_next(reader->from, &message, &offset);
    tell_missed(reader);
    if (got == -EBADMSG) {
        tell_damaged(reader, offset);
        return 1;
    }
    if (got != 1 || offset >= reader->to)
        return got < 0 ? got : 0;
    if (reader->filter && !mq_filter_takes(reader->filter, message))
        return 1;
    int error = framing == 'j' ? put_json(reader, message, offset) : put_body(reader, message);
    if (!error)
        error = log_output_end(reader->output);
    reader->printed++;
    return error ? error : 1;
}

static int wait_for_more(struct reader *reader)
{
    const int error = log_output_flush(reader->output);
    return error ? error : mq_log_wait(reader->from, MQ_FOREVER, reader->cancel_fd);
}

static int read_all(struct reader *reader)
{
    int error = 0;
    while (error >= 0 && left(reader) > 0) {
        error = print_some(reader);
        if (error == 0 && !reader->wanted->follow)
            break;
        if (error == 0)
            error = wait_for_more(reader);
    }
    const int flushed = error < 0 && error != -ECANCELED ? 0 : log_output_flush(reader->output);
    return error < 0 ? error : flushed;
}

/* A signal is how to end --follow, unless it left a record torn. */
static void end_by_signal(const struct reader *reader)
{
    const int first = log_output_signal(reader->output);
    if (!reader->wanted->follow && first)
        signals_die(first);
    if (!reader->wanted->follow || log_output_is_torn(reader->output))
        signals_obey(reader->cancel_fd);
}

/* How the reading ended. */
static int conclude(struct reader *reader, int error)
{
    if (error == -ECANCELED) {
        end_by_signal(reader);
        error = 0;
    }
    if (error && log_output_has_failed(reader->output))
        return cli_fail(STATUS_IO, mq_log_name(reader->log), "cannot write the messages: %s", cli_reason(error));
    if (error)
        return cli_log_error(error, mq_log_name(reader->log), "cannot read the log");
    if (reader->damaged)
        return STATUS_DATA;
    return reader->printed > 0 || reader->wanted->follow ? STATUS_DONE : STATUS_NOTHING;
}

static int make_filter(struct reader *reader)
{
    const struct log_reading *wanted = reader->wanted;
    if (wanted->pattern_count + wanted->header_count == 0)
        return STATUS_DONE;
    const int error = mq_filter_new(wanted->patterns, wanted->pattern_count, wanted->headers, wanted->header_count,
                                    wanted->any, &reader->filter);
    if (error == -EINVAL)
        return cli_fail(STATUS_DATA, mq_log_name(reader->log),
                        "not a pattern of up to 255 bytes, or not `NAME` or `NAME: VALUE`: %s",
                        wanted->pattern_count > 0 ? wanted->patterns[0] : wanted->headers[0]);
    return error ? cli_error(error, mq_log_name(reader->log), "cannot select messages") : STATUS_DONE;
}

static int run(struct reader *reader)
{
    uint64_t from, begin;
    const struct log_reading *wanted = reader->wanted;
    int status = where_find(&wanted->from, reader->log, "--from", &from);
    if (status == STATUS_DONE && wanted->has_to)
        status = where_find(&wanted->to, reader->log, "--to", &reader->to);
    if (status != STATUS_DONE)
        return status;
    int error = wanted->has_to || wanted->follow ? 0 : mq_log_bounds(reader->log, &begin, &reader->to);
    if (!wanted->has_to && wanted->follow)
        reader->to = UINT64_MAX;
    if (!error)
        error = mq_log_reader_new(reader->log, from, &reader->from);
    if (error)
        return cli_log_error(error, mq_log_name(reader->log), "cannot read the log");
    status = conclude(reader, read_all(reader));
    mq_log_reader_free(reader->from);
    return status;
}

int log_read(const char *name, const struct log_reading *reading)
{
    signal(SIGPIPE, SIG_IGN);
    struct reader *reader = cli_must(calloc(1, sizeof *reader));
    const int cancel_fd = signals_open();
    int status = cancel_fd < 0 ? cli_error(cancel_fd, NULL, "cannot watch for signals")
                               : cli_open_log(name, &reader->log);
    reader->wanted = reading;
    reader->output = log_output_new(cancel_fd);
    reader->cancel_fd = cancel_fd;
    if (status == STATUS_DONE)
        status = make_filter(reader);
    if (status == STATUS_DONE)
        status = run(reader);
    mq_filter_free(reader->filter);
    mq_log_close(reader->log);
    log_output_free(reader->output);
    free(reader);
    return status;
}
