/* One command that runs for one message. */
#include "worker/job.h"

#include "base/clock.h"
#include "base/io.h"
#include "base/units.h"
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/cli.h"
#include "io/temporary.h"
#include "worker/environment.h"
#include "worker/spawn.h"

#define PATH_SIZE 48
#define CHUNK 65536

/* How much longer than its claim a transaction lives: the claim's deadline decides. */
#define TRANSACTION_SLACK (10 * CLOCK_SECOND)

static void clear(struct job *job)
{
    job->message = NULL;
    job->tx = NULL;
    job->pid = 0;
    job->end = JOB_RUNS;
    job->body = job->reply = job->input = job->feed.pipe = -1;
    job->feed.chunk = NULL;
    job->feed.error = 0;
    job->result = NULL;
    for (int stream = 0; stream < MQ_STREAMS; stream++) {
        job->ends[stream] = -1;
        relay_clear(&job->streams[stream]);
    }
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
    for (int stream = 0; stream < MQ_STREAMS; stream++) {
        relay_close(&job->streams[stream]);
        close_one(&job->streams[stream].rest);
        close_one(&job->ends[stream]);
    }
    close_one(&job->input);
    close_one(&job->body);
    close_one(&job->reply);
    mq_message_free(job->message);
    if (job->tx)
        (void)mq_tx_abort(job->tx); /* if this fails, the deadline undoes it */
    mq_tx_free(job->tx);
    clear(job);
}

/* ---- what it prints ----------------------------------------------------------------- */

/* An error changes nothing for the message. */
static void tell_unkept(const struct job *job, const char *what, int error)
{
    (void)cli_fail(STATUS_DONE, mq_queue_name(job->queue), "%s: %s: %s", mq_message_id(job->message), what,
                   cli_reason(error));
}

static void keep(struct job *job, enum mq_stream stream, const char *bytes, size_t size)
{
    const int error = job->result ? mq_result_write(job->result, stream, bytes, size) : 0;
    if (error)
        tell_unkept(job, "the rest of what it prints is not kept", error);
}

static void keep_output(void *context, const char *bytes, size_t size)
{
    keep(context, MQ_STDOUT, bytes, size);
}

static void keep_errors(void *context, const char *bytes, size_t size)
{
    keep(context, MQ_STDERR, bytes, size);
}

static enum relay_form form_of(enum mq_stream stream, const struct job_options *options)
{
    if (options->forms_output)
        return options->form;
    return stream == MQ_STDOUT ? RELAY_NOT : RELAY_AS_IT_COMES;
}

static int open_stream(struct job *job, enum mq_stream stream, const struct job_options *options,
                       struct job_outlets *outlets)
{
    struct relay *relay = &job->streams[stream];
    relay->form = form_of(stream, options);
    relay->outlet = &outlets->streams[stream];
    relay->turn = &outlets->turn;
    relay->self = relay->context = job;
    relay->tag = mq_message_id(job->message);
    relay->keep = !options->save ? NULL : stream == MQ_STDOUT ? keep_output : keep_errors;
    return relay_open(relay, &job->ends[stream]);
}

/* Standard output goes past the worker unless it is wanted. */
static int open_streams(struct job *job, const struct job_options *options, struct job_outlets *outlets)
{
    const bool reads_output = job->reply < 0 && (options->save || options->forms_output);
    const int error = reads_output ? open_stream(job, MQ_STDOUT, options, outlets) : 0;
    return error ? error : open_stream(job, MQ_STDERR, options, outlets);
}

static void begin_result(struct job *job)
{
    const int error = mq_result_begin(job->queue, job->message, &job->result);
    if (error)
        tell_unkept(job, "its result is not kept", error);
}

/* A reply is in a file of its own until the command has ended. */
static void keep_reply(struct job *job)
{
    char bytes[CHUNK];
    uint64_t at = 0;
    for (ssize_t got; job->reply >= 0 && (got = io_read_at(job->reply, bytes, sizeof bytes, at)) > 0;
         at += (uint64_t)got)
        keep(job, MQ_STDOUT, bytes, (size_t)got);
}

static enum mq_outcome outcome_of(const struct job *job, const struct outcome *outcome)
{
    if (outcome->verdict == VERDICT_DONE || outcome->verdict == VERDICT_DONE_AND_STOP)
        return MQ_OUTCOME_DONE;
    if (job->end == JOB_TIMED_OUT)
        return MQ_OUTCOME_TIMED_OUT;
    if (job->end == JOB_STOPPED)
        return MQ_OUTCOME_STOPPED;
    return outcome->verdict == VERDICT_REJECT ? MQ_OUTCOME_REJECTED : MQ_OUTCOME_FAILED;
}

void job_end_result(struct job *job, const struct outcome *outcome)
{
    if (!job->result)
        return;
    keep_reply(job);
    const int status = WIFEXITED(job->wait_status) ? WEXITSTATUS(job->wait_status) : -1;
    const int number = WIFSIGNALED(job->wait_status) ? WTERMSIG(job->wait_status) : 0;
    const int error = mq_result_end(job->result, outcome_of(job, outcome), status, number);
    job->result = NULL;
    if (error)
        tell_unkept(job, "its result is not kept", error);
}

bool job_has_output(const struct job *job)
{
    return relay_is_open(&job->streams[MQ_STDOUT]) || relay_is_open(&job->streams[MQ_STDERR]);
}

/* ---- starting --------------------------------------------------------------------- */

static int open_input(struct job *job, const struct job_options *options)
{
    if (!options->body_file)
        return stdin_feed_open(&job->feed, job->message, &job->input);
    job->body = temporary_copy_body(job->message);
    return job->body < 0 ? job->body : 0;
}

static int open_reply(struct job *job, const struct job_options *options)
{
    if (!options->reply || !mq_message_header(job->message, "Reply-To"))
        return 0;
    job->reply = temporary_open();
    return job->reply < 0 ? job->reply : 0;
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

int job_prepare(struct job *job, mq_message *message, const struct job_options *options, struct job_outlets *outlets)
{
    clear(job);
    job->message = message;
    int error = open_input(job, options);
    if (!error)
        error = open_reply(job, options);
    if (!error)
        error = begin_transaction(job, options);
    return error ? error : open_streams(job, options, outlets);
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
        .output = job->reply >= 0 ? job->reply : job->ends[MQ_STDOUT],
        .error = job->ends[MQ_STDERR],
    });
    close_one(&job->input);
    close_one(&job->ends[MQ_STDOUT]);
    close_one(&job->ends[MQ_STDERR]);
    if (pid < 0)
        return (int)pid;
    job->pid = pid;
    if (options->save)
        begin_result(job);
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
