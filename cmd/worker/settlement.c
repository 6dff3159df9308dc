/* Settling the message of a job. */
#include "worker/settlement.h"

#include "base/units.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"
#include "message/body_error.h"
#include "message/failure.h"
#include "worker/environment.h"
#include "worker/reply.h"

/* A job, how it ended, and the end of what it wrote to standard error. */
struct ending {
    mq_queue *queue;
    const struct worker_options *options;
    struct job *job;
    struct outcome outcome;
    char said[RELAY_TAIL];
    size_t said_size;
};

static const char *receipt_of(const struct ending *ending)
{
    return mq_message_receipt(ending->job->message);
}

static const char *queue_of(const struct ending *ending)
{
    return mq_queue_name(ending->queue);
}

/* If the claim has ended already, the command settled it, or it lapsed, which was reported then. In both cases the
   command's exit status decides nothing. */
static int settled(const struct ending *ending, int error, int status)
{
    if (!error)
        return status;
    if (error != -ESTALE)
        return cli_queue_error(error, queue_of(ending), "cannot settle the message");
    cli_note(queue_of(ending), "%s: its claim has ended already", mq_message_id(ending->job->message));
    return STATUS_DONE;
}

/* What the command sent is sent with the ack, or not at all. */
static int commit(const struct ending *ending)
{
    mq_tx *tx = ending->job->tx;
    const char *id = mq_message_id(ending->job->message);
    int error = mq_tx_take(tx, ending->queue, receipt_of(ending), ending->options->once ? MQ_TX_ONCE : 0);
    if (error == -ESTALE)
        return cli_fail(STATUS_FAILED, queue_of(ending), "%s: its claim has ended: nothing of its transaction is done",
                        id);
    if (!error)
        error = mq_tx_commit(tx);
    if (error == -ESTALE)
        return cli_fail(STATUS_FAILED, queue_of(ending), "%s: its transaction has ended: nothing of it is done", id);
    if (error == -EINPROGRESS)
        return cli_error(error, queue_of(ending), "the transaction is committed");
    if (error)
        return cli_queue_error(error, queue_of(ending), "cannot commit the transaction");
    cli_note(queue_of(ending), "%s: done", id);
    return STATUS_DONE;
}

static int ack(const struct ending *ending)
{
    if (ending->job->tx)
        return commit(ending);
    const int error = ending->options->once ? mq_ack_once(ending->queue, receipt_of(ending))
                                            : mq_ack(ending->queue, receipt_of(ending));
    cli_note(queue_of(ending), "%s: done", mq_message_id(ending->job->message));
    return settled(ending, error, STATUS_DONE);
}

/* ---- failures --------------------------------------------------------------------- */

static bool is_last_attempt(const struct ending *ending)
{
    char text[UNITS_TEXT_SIZE];
    uint64_t most;
    return mq_config_get(ending->queue, "max-attempts", text, sizeof text) == 0 &&
           units_parse_number(text, UINT64_MAX, &most) && mq_message_attempts(ending->job->message) >= most;
}

/* Send the failure as the reply, so that the requester does not wait for a reply that never comes. */
static void reply_failure(const struct ending *ending)
{
    const bool final = ending->outcome.verdict == VERDICT_REJECT || is_last_attempt(ending);
    if (!ending->options->job.reply || !final || !reply_is_allowed(ending->job->message, &ending->options->job))
        return;
    const int error = reply_send_failure(ending->job->message, &ending->outcome, ending->said, ending->said_size);
    if (error)
        (void)cli_error(error, queue_of(ending), "cannot send the reply");
}

static void report(const struct ending *ending)
{
    if (!cli_quiet || cli_verbose)
        (void)cli_fail(STATUS_FAILED, queue_of(ending), "%s: attempt %u: %s", mq_message_id(ending->job->message),
                       mq_message_attempts(ending->job->message), ending->outcome.text);
}

static int fail(const struct ending *ending)
{
    /* The record is written while the worker has the claim. After that another receiver may work on the message. */
    failure_keep(ending->queue, ending->job->message, &ending->outcome, ending->said, ending->said_size);
    reply_failure(ending);
    /* If a signal stopped the worker, the message is not the cause, so there is no back-off. */
    const int64_t delay = ending->job->end == JOB_STOPPED ? 0 : MQ_BACK_OFF;
    const int error = ending->outcome.verdict == VERDICT_REJECT
                          ? mq_reject(ending->queue, receipt_of(ending), ending->outcome.text)
                          : mq_nack(ending->queue, receipt_of(ending), delay);
    if (error != -ESTALE)
        report(ending);
    return settled(ending, error, STATUS_FAILED);
}

/* ---- endings ---------------------------------------------------------------------- */

static int act_on(struct ending *ending, bool *ret_stop)
{
    switch (ending->outcome.verdict) {
    case VERDICT_DONE_AND_STOP:
        *ret_stop = true;
        return ack(ending);
    case VERDICT_DONE:
        return ack(ending);
    default:
        return fail(ending);
    }
}

/* The reply is sent before the ack: if the worker is killed in between, the reply is sent twice rather than never. */
static void send_reply(struct ending *ending)
{
    if (ending->outcome.verdict != VERDICT_DONE && ending->outcome.verdict != VERDICT_DONE_AND_STOP)
        return;
    const int error = reply_send(ending->job->message, ending->job->reply, ending->job->tx);
    if (error)
        outcome_set_failure(&ending->outcome, "the reply cannot be sent: %s", cli_reason(error));
}

int settle_finished_job(mq_queue *queue, const struct worker_options *options, struct job *job, bool *ret_stop)
{
    struct ending ending = {.queue = queue, .options = options, .job = job};
    bool stop = false;
    job_outcome(job, &options->policy, &options->job, &ending.outcome);
    ending.said_size = relay_tail(&job->streams[MQ_STDERR], ending.said);
    send_reply(&ending);
    job_end_result(job, &ending.outcome);
    const int status = act_on(&ending, &stop);
    *ret_stop = stop || (status != STATUS_DONE && status != STATUS_FAILED);
    return status;
}

/* ---- commands that were not started ------------------------------------------------ */

static void give_back(mq_queue *queue, const struct job *job)
{
    const int error = mq_release(queue, mq_message_receipt(job->message));
    if (error && error != -ESTALE)
        (void)cli_queue_error(error, mq_queue_name(queue), "cannot give the message back");
}

/* End the attempt with a failure or a rejection, though no command was started. */
static int fail_before_start(mq_queue *queue, const struct worker_options *options, struct job *job,
                             enum verdict verdict, const char *reason)
{
    struct ending ending = {.queue = queue, .options = options, .job = job};
    ending.outcome.exit_status = -1;
    outcome_set_failure(&ending.outcome, "%s", reason);
    ending.outcome.verdict = verdict;
    return fail(&ending);
}

int settle_unanswerable_job(mq_queue *queue, const struct worker_options *options, struct job *job)
{
    return fail_before_start(queue, options, job, VERDICT_REJECT, "Reply-To names no reply queue");
}

int settle_unprepared_job(mq_queue *queue, const struct worker_options *options, struct job *job, int error,
                          bool *ret_stop)
{
    if (body_error_is_of_message(error, job->message)) {
        char text[128];
        snprintf(text, sizeof text, "the body cannot be handed over: %s", body_error_reason(error));
        return fail_before_start(queue, options, job, VERDICT_RETRY, text);
    }
    give_back(queue, job);
    *ret_stop = true;
    return cli_fail(cli_status(error), mq_queue_name(queue), "cannot hand over %s: %s", mq_message_id(job->message),
                    cli_reason(error));
}

/* The kernel's limit for arguments and environment, whatever the limit of the stack. */
#define ARGUMENTS_MAX (6 * 1024 * 1024)

/* Whether the headers of this message are too large for an environment. Otherwise what every command gets is too
   large. */
static bool are_headers_too_large(const struct worker_options *options, int error)
{
    const long said = sysconf(_SC_ARG_MAX), most = said > 0 && said < ARGUMENTS_MAX ? said : ARGUMENTS_MAX;
    return error == -E2BIG && environment_base_size(options->job.command) < (size_t)most;
}

static int status_of_launch(int error)
{
    const int status = cli_status(error);
    if (status == STATUS_TRY_LATER)
        return status;
    return error == -ENOENT ? STATUS_NO_COMMAND : STATUS_CANNOT_RUN;
}

int settle_unstarted_job(mq_queue *queue, const struct worker_options *options, struct job *job, int error,
                         bool *ret_stop)
{
    *ret_stop = !are_headers_too_large(options, error);
    if (!*ret_stop)
        return fail_before_start(queue, options, job, VERDICT_REJECT, "headers");
    give_back(queue, job);
    return cli_fail(status_of_launch(error), mq_queue_name(queue), "cannot run %s: %s", options->job.command[0],
                    strerror(-error));
}
