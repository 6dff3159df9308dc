/* One command that runs for one message. */
#include "worker/job.h"

#include "base/clock.h"
#include "base/units.h"
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "cli/cli.h"
#include "io/temporary.h"
#include "worker/environment.h"
#include "worker/spawn.h"

#define PATH_SIZE 48

/* How much longer than its claim a transaction lives: the claim's deadline decides. */
#define TRANSACTION_SLACK (10 * CLOCK_SECOND)

static void clear(struct job *job)
{
    job->message = NULL;
    job->tx = NULL;
    job->pid = 0;
    job->end = JOB_RUNS;
    job->body = job->output = job->input = job->error = job->feed.pipe = job->relay.pipe = job->relay.rest = -1;
    job->feed.chunk = NULL;
    job->feed.error = 0;
    job->held = false;
    job->renew_at = job->term_at = job->kill_at = JOB_NEVER;
}

static void close_one(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

void job_release(struct job *job)
{
    stdin_feed_close(&job->feed);
    stderr_relay_close(&job->relay);
    close_one(&job->relay.rest);
    close_one(&job->input);
    close_one(&job->error);
    close_one(&job->body);
    close_one(&job->output);
    mq_message_free(job->message);
    if (job->tx)
        (void)mq_tx_abort(job->tx); /* if this fails, the deadline undoes it */
    mq_tx_free(job->tx);
    clear(job);
}

/* ---- starting --------------------------------------------------------------------- */

static int open_input(struct job *job, const struct job_options *options)
{
    if (!options->body_file)
        return stdin_feed_open(&job->feed, job->message, &job->input);
    job->body = temporary_copy_body(job->message);
    return job->body < 0 ? job->body : 0;
}

static int open_output(struct job *job, const struct job_options *options)
{
    if (!options->reply || !mq_message_header(job->message, "Reply-To"))
        return 0;
    job->output = temporary_open();
    return job->output < 0 ? job->output : 0;
}

static int begin_transaction(struct job *job, const struct job_options *options)
{
    return options->transaction ? mq_tx_begin(cli_spool, job->lease + TRANSACTION_SLACK, &job->tx) : 0;
}

void job_extend_transaction(struct job *job)
{
    if (job->tx)
        (void)mq_tx_extend(job->tx, job->lease + TRANSACTION_SLACK); /* the commit reports an error */
}

int job_prepare(struct job *job, mq_message *message, const struct job_options *options)
{
    clear(job);
    job->message = message;
    int error = open_input(job, options);
    if (!error)
        error = open_output(job, options);
    if (!error)
        error = begin_transaction(job, options);
    return error ? error : stderr_relay_open(&job->relay, &job->error);
}

int job_launch(struct job *job, mq_queue *queue, const struct job_options *options)
{
    char path[PATH_SIZE];
    /* The path goes through this process: processes that the command starts find it too, and it ends with this
       process. */
    snprintf(path, sizeof path, "/proc/%d/fd/%d", (int)getpid(), job->body);
    char **variables = environment_for(queue, job->message, job->body >= 0 ? path : NULL,
                                       job->tx ? mq_tx_id(job->tx) : NULL);
    if (!variables)
        return -ENOMEM;
    const pid_t pid = spawn_command(&(struct spawn){
        .command = options->command,
        .environment = variables,
        .input = job->input,
        .output = job->output,
        .error = job->error,
    });
    close_one(&job->input);
    close_one(&job->error);
    if (pid < 0)
        return (int)pid;
    job->pid = pid;
    if (options->timeout != JOB_NEVER)
        job->term_at = clock_monotonic() + options->timeout;
    return 0;
}

/* ---- ending ----------------------------------------------------------------------- */

void job_kill(struct job *job)
{
    if (job->pid > 0)
        (void)kill(-job->pid, SIGKILL);
    job->kill_at = JOB_NEVER;
}

void job_end(struct job *job, enum job_end why, int64_t kill_at)
{
    if (job->pid <= 0)
        return;
    if (job->end == JOB_RUNS)
        job->end = why;
    job->term_at = JOB_NEVER;
    job->kill_at = kill_at < job->kill_at ? kill_at : job->kill_at;
    (void)kill(-job->pid, SIGTERM);
    (void)kill(-job->pid, SIGCONT); /* a stopped process acts on SIGTERM only when it continues */
}

void job_note_end(struct job *job, int wait_status)
{
    if (job->end != JOB_RUNS)
        job_kill(job);
    job->pid = 0;
    job->wait_status = wait_status;
    job->term_at = job->kill_at = JOB_NEVER;
    stdin_feed_close(&job->feed);
}

int64_t job_next_time(const struct job *job)
{
    int64_t next = job->renew_at;
    if (job->term_at < next)
        next = job->term_at;
    return job->kill_at < next ? job->kill_at : next;
}

void job_outcome(const struct job *job, const struct outcome_policy *policy, const struct job_options *options,
                 struct outcome *ret_outcome)
{
    char duration[UNITS_TEXT_SIZE];
    outcome_of_status(policy, job->wait_status, ret_outcome);
    const bool done = ret_outcome->verdict == VERDICT_DONE || ret_outcome->verdict == VERDICT_DONE_AND_STOP;
    if (job->end == JOB_TIMED_OUT) {
        units_format_duration(options->timeout, duration);
        outcome_set_failure(ret_outcome, "timeout after %s", duration);
    } else if (job->end == JOB_WANTS_TERMINAL) {
        outcome_set_failure(ret_outcome, "stopped by the terminal, which is not for commands");
    } else if (job->feed.error) {
        outcome_set_failure(ret_outcome, "the body cannot be read: %s", cli_reason(job->feed.error));
    } else if (job->end == JOB_STOPPED && !done) {
        outcome_set_failure(ret_outcome, "the worker was stopped");
    }
}
