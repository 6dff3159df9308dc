/* Requests and their replies. */
#include "send/request.h"

#include "base/units.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/output.h"
#include "cli/signals.h"
#include "send/message_options.h"
#include "text/text.h"

#define CHUNK 65536
#define SAID_MAX 4096 /* bytes that are shown of the reason that a service gives for its failure */

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

/* The request expires when its sender no longer waits, or earlier if --ttl or the queue says so. */
static int set_ttl(mq_queue *queue, mq_message *message, int64_t timeout)
{
    char text[UNITS_TEXT_SIZE];
    int64_t ttl = message_options_ttl();
    if (timeout == MQ_FOREVER)
        return STATUS_DONE;
    if (ttl == 0 && mq_config_get(queue, "ttl", text, sizeof text) == 0)
        (void)units_parse_duration(text, &ttl); /* the text may also say that there is no ttl */
    const int64_t shorter = ttl > 0 && ttl < timeout ? ttl : timeout;
    const int error = mq_message_set_ttl(message, shorter > 0 ? shorter : 1);
    return error ? cli_error(error, NULL, "cannot set the expiry") : STATUS_DONE;
}

int request_open(mq_queue *queue, mq_message *message, int64_t timeout, mq_queue **ret_replies)
{
    mq_queue *replies;
    /* From now on signals are handled only in waits, so that none ends the process while the reply's queue exists. */
    signals = signals_open();
    const int error = signals < 0 ? signals : mq_reply_open(cli_spool, &replies);
    if (error)
        return cli_error(error, NULL, "cannot make a queue for the reply");
    int status = set_headers(message, mq_queue_name(replies));
    if (status == STATUS_DONE)
        status = set_ttl(queue, message, timeout);
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

/* Print on standard error the reason that the service gives for its failure. */
static int tell_failure(mq_message *reply, const char *queue, const char *status)
{
    char said[SAID_MAX], text[TEXT_ESCAPED(SAID_MAX)];
    const ssize_t size = mq_message_read(reply, said, sizeof said);
    const size_t length = size > 0 ? text_escape(said, (size_t)size, "\n\t", text) : 0;
    (void)cli_fail(STATUS_FAILED, queue, "the request failed: status %s", status);
    cli_say(text, length);
    return STATUS_FAILED;
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

/* ---- giving up --------------------------------------------------------------------- */

struct withdrawal {
    mq_queue *queue;
    const char *id;
};

static int withdraw_entry(const struct mq_entry *entry, void *context)
{
    const struct withdrawal *withdrawal = context;
    return strcmp(entry->id, withdrawal->id) == 0 ? mq_entry_remove(withdrawal->queue, entry) : 0;
}

/* Withdraw the request. If a consumer has claimed it, it stays. It also stays, until it expires, if this user may only
   send. */
static void withdraw(mq_queue *queue, const char *id)
{
    struct withdrawal withdrawal = {queue, id};
    if (mq_browse(queue, MQ_READY, withdraw_entry, &withdrawal) == 1 ||
        mq_browse(queue, MQ_DELAYED, withdraw_entry, &withdrawal) == 1)
        cli_note(mq_queue_name(queue), "withdrew %s", id);
}

int request_wait(mq_queue *replies, mq_queue *asked, const char *id, int64_t timeout)
{
    mq_message *reply;
    const char *queue = mq_queue_name(asked);
    const struct mq_receive_options options = {.wait = timeout, .ack_timeout = 0, .cancel_fd = signals};
    const int came = mq_receive(replies, &options, &reply);
    if (came <= 0)
        withdraw(asked, id);
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
