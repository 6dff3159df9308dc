/* Replies to requests. */
#include "worker/reply.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "cli/cli.h"

#define SIGNAL_STATUS 128 /* plus the signal, as shells do */

bool reply_is_allowed(const mq_message *request, const struct job_options *options)
{
    const char *name = mq_message_header(request, "Reply-To");
    return !name || (options->reply_any ? mq_queue_name_is_valid(name) : mq_queue_name_is_reply(name));
}

/* Send the reply and free it. */
static int deliver(const mq_message *request, mq_message *reply, mq_tx *tx)
{
    const struct mq_send_options options = {MQ_SEND_DEFAULTS};
    mq_queue *queue;
    const char *name = mq_message_header(request, "Reply-To");
    const char *correlation = mq_message_header(request, "Correlation-Id");
    int error = correlation ? mq_message_set_header(reply, "Correlation-Id", correlation) : 0;
    if (!error)
        error = mq_open(cli_spool, name, 0, &queue);
    if (!error) {
        error = tx ? mq_tx_send(tx, queue, reply, &options, NULL) : mq_send(queue, reply, &options, NULL);
        mq_close(queue);
    }
    mq_message_free(reply);
    if (error != -ENOENT)
        return error;
    cli_note(name, "nobody waits for the reply to %s any more", mq_message_id(request));
    return 0;
}

int reply_send(const mq_message *request, int file, mq_tx *tx)
{
    mq_message *reply = NULL;
    if (file < 0)
        return 0;
    /* The command's descriptor shares the file offset, so the offset is at the end now. */
    const int error = lseek(file, 0, SEEK_SET) < 0 ? -errno : mq_message_new(&reply);
    if (error)
        return error;
    mq_message_set_body_fd(reply, file);
    return deliver(request, reply, tx);
}

static int status_of(const struct outcome *outcome)
{
    if (outcome->signal)
        return SIGNAL_STATUS + outcome->signal;
    return outcome->exit_status > 0 ? outcome->exit_status : STATUS_NOTHING;
}

int reply_send_failure(const mq_message *request, const struct outcome *outcome, const char *said, size_t size)
{
    mq_message *reply;
    char status[16];
    if (!mq_message_header(request, "Reply-To"))
        return 0;
    int error = mq_message_new(&reply);
    if (error)
        return error;
    snprintf(status, sizeof status, "%d", status_of(outcome));
    error = mq_message_set_header(reply, "Status", status);
    if (error) {
        mq_message_free(reply);
        return error;
    }
    mq_message_set_body(reply, said, size);
    return deliver(request, reply, NULL);
}
