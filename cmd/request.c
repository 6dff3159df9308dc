/* Requests and their replies. */
#include "request.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <units.h>

#include "cli.h"
#include "output.h"
#include "signals.h"
#include "text.h"

#define CHUNK 65536
#define SAID_MAX 4096 /* of what a service says of its failure */

static int signals = -1;

int request_cancel_fd(void)
{
    return signals;
}

static int set_headers(mq_message *message, const char *reply_to)
{
    int error = mq_message_set_header(message, "Reply-To", reply_to);
    if (!error && !mq_message_header(message, "Correlation-Id"))
        error = mq_message_set_header(message, "Correlation-Id", reply_to);
    return error ? cli_error(error, NULL, "cannot set the headers") : STATUS_DONE;
}

int request_open(mq_message *message, mq_queue **ret_replies)
{
    mq_queue *replies;
    /* From now on signals are looked at only while we wait: nobody shall die between making the queue and removing it. */
    signals = signals_open();
    const int error = signals < 0 ? signals : mq_reply_open(cli_spool, &replies);
    if (error)
        return cli_error(error, NULL, "cannot make a queue for the reply");
    const int status = set_headers(message, mq_queue_name(replies));
    if (status == STATUS_DONE)
        *ret_replies = replies;
    else
        mq_reply_close(replies);
    return status;
}

int request_close(mq_queue *replies, int status)
{
    mq_reply_close(replies);
    signals_obey(signals);
    return status;
}

/* ---- the reply -------------------------------------------------------------------- */

static int print_body(mq_message *reply)
{
    const struct output_patience patience = {.cancel_fd = signals, .milliseconds = -1};
    char buffer[CHUNK];
    size_t written;
    ssize_t got;
    int error = 0;
    while (!error && (got = mq_message_read(reply, buffer, sizeof buffer)) != 0)
        error = got < 0 ? (int)got : output_write(buffer, (size_t)got, &patience, &written);
    return error;
}

/* What the service says of its failure is for people. */
static int tell_failure(mq_message *reply, const char *queue, const char *status)
{
    char said[SAID_MAX], text[TEXT_ESCAPED(SAID_MAX)];
    const ssize_t size = mq_message_read(reply, said, sizeof said);
    const size_t length = size > 0 ? text_escape(said, (size_t)size, "\n\t", text) : 0;
    (void)cli_fail(STATUS_FAILED, queue, "the request failed: status %s", status);
    return write(STDERR_FILENO, text, length) < 0 ? STATUS_IO : STATUS_FAILED;
}

static int take_reply(mq_message *reply, const char *queue)
{
    const char *status = mq_message_header(reply, "Status");
    if (status && strcmp(status, "0") != 0)
        return tell_failure(reply, queue, status);
    const int error = print_body(reply);
    if (error == 0 || error == -ECANCELED)
        return STATUS_DONE;
    return cli_fail(STATUS_IO, queue, "cannot print the reply: %s", cli_reason(error));
}

static int nothing_came(const char *queue, int64_t timeout)
{
    char text[UNITS_TEXT_SIZE];
    units_format_duration(timeout, text);
    return cli_quiet && !cli_verbose ? STATUS_NOTHING
                                     : cli_fail(STATUS_NOTHING, queue, "no reply came within %s", text);
}

int request_wait(mq_queue *replies, const char *queue, int64_t timeout)
{
    mq_message *reply;
    const struct mq_receive_options options = {.wait = timeout, .ack_timeout = 0, .cancel_fd = signals};
    const int came = mq_receive(replies, &options, &reply);
    if (came == 0)
        return nothing_came(queue, timeout);
    if (came == -ECANCELED)
        return STATUS_NOTHING; /* request_close obeys the signal */
    if (came < 0)
        return cli_error(came, queue, "cannot receive the reply");
    const int status = take_reply(reply, queue);
    mq_message_free(reply);
    return status;
}
