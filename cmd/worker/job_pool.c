/* The commands that a worker runs at the same time, and their events. */
#include "worker/job_pool.h"

#include "base/clock.h"
#include "base/grow.h"
#include "base/units.h"
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/notify.h"
#include "cli/signals.h"
#include "worker/reply.h"
#include "worker/settlement.h"

#define EVENTS 16

/* Descriptors that the worker itself needs, and the most that one job needs. */
#define OTHER_FILES 64
#define JOB_FILES 8

/* A claim is renewed when this part of it has passed. */
#define LEASE_PARTS 3

/* What an event is about. The bits above hold the slot of a job, or for REST a descriptor. */
enum source { SIGNALS, CHILDREN, OUR_ERROR, FEED, RELAY, REST };
#define SOURCE_BITS 3

/* ---- watching --------------------------------------------------------------------- */

static int watch(const struct worker *worker, int fd, uint32_t events, enum source source, size_t slot)
{
    struct epoll_event event = {.events = events, .data.u64 = (uint64_t)slot << SOURCE_BITS | source};
    return epoll_ctl(worker->epoll, EPOLL_CTL_ADD, fd, &event) < 0 ? -errno : 0;
}

static void unwatch(const struct worker *worker, int fd)
{
    (void)epoll_ctl(worker->epoll, EPOLL_CTL_DEL, fd, NULL);
}

void job_pool_add_status(struct worker *worker, int status)
{
    if (worker->status == STATUS_DONE || worker->status == STATUS_FAILED)
        worker->status = status == STATUS_DONE ? worker->status : status;
}

/* The same for a job that has ended. */
static void add_end(struct worker *worker, int status)
{
    worker->done += status == STATUS_DONE;
    worker->failed += status != STATUS_DONE;
    job_pool_add_status(worker, status);
}

/* ---- processes left behind by commands --------------------------------------------- */

/* The descriptors of the jobs themselves have priority. */
static bool has_room_for_rest(const struct worker *worker)
{
    struct rlimit files;
    const rlim_t others = OTHER_FILES + (rlim_t)worker->options->parallel * JOB_FILES;
    return getrlimit(RLIMIT_NOFILE, &files) == 0 && files.rlim_cur > others &&
           worker->rest_count < files.rlim_cur - others;
}

/* Keep reading the pipe of a job's standard error after the job, for the processes that it left behind. */
static void keep_rest(struct worker *worker, struct stderr_relay *relay)
{
    if (relay->rest < 0)
        return;
    unwatch(worker, relay->rest);
    if (!has_room_for_rest(worker))
        return; /* the pipe is closed with the job */
    if (!GROW(worker->rests, worker->rest_count + 1, worker->rests_room))
        return;
    if (!worker->rests_held && watch(worker, relay->rest, EPOLLIN, REST, (size_t)relay->rest) < 0)
        return;
    worker->rests[worker->rest_count++] = relay->rest;
    relay->rest = -1;
}

static void hold_rests(struct worker *worker)
{
    worker->rests_held = true;
    for (size_t i = 0; i < worker->rest_count; i++)
        unwatch(worker, worker->rests[i]);
    (void)watch(worker, STDERR_FILENO, EPOLLOUT | EPOLLONESHOT, OUR_ERROR, 0); /* EEXIST: a job watches already */
}

static void resume_rests(struct worker *worker)
{
    for (size_t i = 0; worker->rests_held && i < worker->rest_count; i++)
        (void)watch(worker, worker->rests[i], EPOLLIN, REST, (size_t)worker->rests[i]);
    worker->rests_held = false;
}

static void pass_rest(struct worker *worker, int pipe)
{
    size_t i = 0;
    while (i < worker->rest_count && worker->rests[i] != pipe)
        i++;
    if (i == worker->rest_count || worker->rests_held)
        return;
    const enum stderr_relay_state state = stderr_relay_pass_rest(pipe);
    if (state == RELAY_HELD)
        hold_rests(worker);
    if (state != RELAY_DONE)
        return;
    close(pipe);
    worker->rests[i] = worker->rests[--worker->rest_count];
}

void job_pool_close(struct worker *worker)
{
    for (size_t i = 0; i < worker->rest_count; i++)
        (void)stderr_relay_pass_rest(worker->rests[i]);
    free(worker->rests);
}

/* ---- ending ----------------------------------------------------------------------- */

void job_pool_stop_claiming(struct worker *worker)
{
    if (worker->phase == WORKING) {
        worker->phase = FINISHING;
        notify("STOPPING=1");
    }
}

static void release(struct worker *worker, struct job *job)
{
    job_release(job);
    worker->running--;
    worker->quiet_since = clock_monotonic();
}

static void settle(struct worker *worker, struct job *job)
{
    bool stop;
    add_end(worker, settle_finished_job(worker->queue, worker->options, job, &stop));
    if (stop)
        job_pool_stop_claiming(worker);
    keep_rest(worker, &job->relay);
    release(worker, job);
}

/* End a job. If its command has ended and the job only waits for a reader of the worker's standard error, settle it
   now. */
static void end_job(struct worker *worker, struct job *job, int64_t kill_at)
{
    job_end(job, JOB_STOPPED, kill_at);
    if (job->message && job->pid == 0)
        settle(worker, job);
}

static void end_jobs(struct worker *worker)
{
    const int64_t kill_at = clock_monotonic() + worker->options->job.kill_after;
    worker->phase = ENDING;
    worker->grace_ends = JOB_NEVER;
    for (unsigned i = 0; i < worker->options->parallel; i++)
        end_job(worker, &worker->jobs[i], kill_at);
}

static void kill_jobs(struct worker *worker)
{
    worker->phase = KILLING;
    for (unsigned i = 0; i < worker->options->parallel; i++)
        job_kill(&worker->jobs[i]);
}

static void take_signals(struct worker *worker)
{
    for (int number; (number = signals_take(worker->signals));) {
        if (worker->phase >= ENDING) {
            kill_jobs(worker);
        } else if (worker->signal) {
            end_jobs(worker);
        } else {
            job_pool_stop_claiming(worker);
            worker->signal = number;
            if (worker->options->grace != MQ_FOREVER)
                worker->grace_ends = clock_monotonic() + worker->options->grace;
        }
    }
}

/* ---- commands that end ------------------------------------------------------------ */

/* The worker's standard error takes no more. Do not read that of the job until it does. */
static void hold(struct worker *worker, struct job *job)
{
    if (job->held)
        return;
    job->held = true;
    unwatch(worker, job->relay.pipe);
    (void)watch(worker, STDERR_FILENO, EPOLLOUT | EPOLLONESHOT, OUR_ERROR, 0); /* EEXIST: another job watches already */
}

/* Act on the state of the relay. A job is settled when its process has ended and all its output was passed on. */
static void follow_relay(struct worker *worker, struct job *job, enum stderr_relay_state state)
{
    if (state == RELAY_HELD && worker->phase < ENDING)
        hold(worker, job);
    else if (state == RELAY_HELD || (state == RELAY_MORE && job->pid == 0))
        stderr_relay_close(&job->relay);
    if (job->pid == 0 && job->relay.pipe < 0)
        settle(worker, job);
}

static void resume_held(struct worker *worker)
{
    unwatch(worker, STDERR_FILENO);
    for (unsigned i = 0; i < worker->options->parallel; i++) {
        struct job *job = &worker->jobs[i];
        if (!job->message || !job->held)
            continue;
        job->held = false;
        if (job->relay.pipe >= 0)
            (void)watch(worker, job->relay.pipe, EPOLLIN, RELAY, i);
        follow_relay(worker, job, stderr_relay_pump(&job->relay));
    }
    resume_rests(worker);
}

static struct job *find_job(const struct worker *worker, pid_t pid)
{
    for (unsigned i = 0; i < worker->options->parallel; i++)
        if (worker->jobs[i].message && worker->jobs[i].pid == pid)
            return &worker->jobs[i];
    return NULL; /* a child that this process had before it became the worker by exec */
}

/* A command was stopped. If it wanted to read from the terminal, it would stay stopped for ever, since no command is in
   the foreground: end it. After any other stop a user may continue it: report the stop. */
static void take_stop(struct worker *worker, struct job *job, int number)
{
    if (number == SIGTTIN || number == SIGTTOU)
        job_end(job, JOB_WANTS_TERMINAL, clock_monotonic() + worker->options->job.kill_after);
    else
        (void)cli_fail(STATUS_DONE, mq_queue_name(worker->queue), "%s: its command, process %d, was stopped by SIG%s",
                       mq_message_id(job->message), (int)job->pid, sigabbrev_np(number));
}

static void take_stops(struct worker *worker)
{
    for (siginfo_t stopped;
         stopped.si_pid = 0, waitid(P_ALL, 0, &stopped, WSTOPPED | WNOHANG) == 0 && stopped.si_pid;) {
        struct job *job = find_job(worker, stopped.si_pid);
        if (job)
            take_stop(worker, job, stopped.si_status);
    }
}

/* Each end is handled before waitpid: until then no new process can get the number of the group. */
static void take_children(struct worker *worker)
{
    while (signals_take(worker->children))
        ;
    take_stops(worker);
    for (siginfo_t ended;
         ended.si_pid = 0, waitid(P_ALL, 0, &ended, WEXITED | WNOHANG | WNOWAIT) == 0 && ended.si_pid;) {
        struct job *job = find_job(worker, ended.si_pid);
        const bool exited = ended.si_code == CLD_EXITED;
        if (job)
            job_note_end(job, exited ? W_EXITCODE(ended.si_status, 0) : W_EXITCODE(0, ended.si_status));
        (void)waitpid(ended.si_pid, NULL, 0);
        if (job)
            follow_relay(worker, job, stderr_relay_finish(&job->relay));
    }
}

/* ---- events and times ------------------------------------------------------------- */

static void feed(struct worker *worker, struct job *job)
{
    if (!job->message || !stdin_feed_pump(&job->feed, job->message) || !job->feed.error)
        return;
    job_end(job, JOB_UNREADABLE, clock_monotonic() + worker->options->job.kill_after);
}

static void dispatch(struct worker *worker, uint64_t data)
{
    const enum source source = data & ((1 << SOURCE_BITS) - 1);
    struct job *job = source == REST ? NULL : &worker->jobs[data >> SOURCE_BITS];
    switch (source) {
    case SIGNALS:
        take_signals(worker);
        break;
    case CHILDREN:
        take_children(worker);
        break;
    case OUR_ERROR:
        resume_held(worker);
        break;
    case FEED:
        feed(worker, job);
        break;
    case REST:
        pass_rest(worker, (int)(data >> SOURCE_BITS));
        break;
    case RELAY:
        if (job->message && !job->held)
            follow_relay(worker, job, stderr_relay_pump(&job->relay));
        break;
    }
}

/* The timeout for epoll_wait, rounded up, so that it does not return too early. -1: no limit. */
static int milliseconds_until(int64_t time)
{
    const int64_t left = time == JOB_NEVER ? 0 : (time - clock_monotonic() + 999) / 1000;
    return time == JOB_NEVER ? -1 : left < 0 ? 0 : left < INT_MAX ? (int)left : INT_MAX;
}

void job_pool_handle_events(struct worker *worker, int64_t time)
{
    struct epoll_event events[EVENTS];
    const int count = epoll_wait(worker->epoll, events, EVENTS, milliseconds_until(time));
    for (int i = 0; i < count; i++)
        dispatch(worker, events[i].data.u64);
}

/* Renew the claim of a job. If the claim has ended, either the command settled it, or it lapsed while this process was
   stopped; then another receiver may work on the message, too. */
static void renew(struct worker *worker, struct job *job, int64_t now)
{
    const bool late = now >= job->renew_at + job->lease - job->lease / LEASE_PARTS;
    const int error = mq_extend(worker->queue, mq_message_receipt(job->message), job->lease);
    job_extend_transaction(job);
    job->renew_at = error == -ESTALE ? JOB_NEVER : now + job->lease / LEASE_PARTS;
    if (error == -ESTALE && late)
        (void)cli_fail(STATUS_FAILED, mq_queue_name(worker->queue),
                       "%s: its claim lapsed while its command runs, and it will be delivered again",
                       mq_message_id(job->message));
    else if (error && error != -ESTALE)
        (void)cli_queue_error(error, mq_queue_name(worker->queue), "cannot renew a claim");
}

static void run_timers(struct worker *worker, struct job *job, int64_t now)
{
    if (job->term_at <= now)
        job_end(job, JOB_TIMED_OUT, now + worker->options->job.kill_after);
    if (job->kill_at <= now)
        job_kill(job);
    if (job->renew_at <= now)
        renew(worker, job, now);
}

int64_t job_pool_run_timers(struct worker *worker)
{
    const int64_t now = clock_monotonic();
    if (worker->grace_ends <= now)
        end_jobs(worker);
    int64_t next = worker->grace_ends;
    for (unsigned i = 0; i < worker->options->parallel; i++) {
        struct job *job = &worker->jobs[i];
        if (!job->message)
            continue;
        run_timers(worker, job, now);
        const int64_t own = job_next_time(job);
        next = own < next ? own : next;
    }
    return next;
}

/* ---- starting commands ------------------------------------------------------------- */

static int64_t lease(const struct worker *worker)
{
    char text[UNITS_TEXT_SIZE];
    int64_t timeout = worker->options->receive.ack_timeout;
    if (timeout == 0 && mq_config_get(worker->queue, "ack-timeout", text, sizeof text) == 0)
        (void)units_parse_duration(text, &timeout);
    return timeout;
}

static int launch(struct worker *worker, struct job *job, mq_message *message, bool *ret_stop)
{
    const struct job_options *options = &worker->options->job;
    int error = job_prepare(job, message, options);
    if (error)
        return settle_unprepared_job(worker->queue, worker->options, job, error, ret_stop);
    if (options->reply && !reply_is_allowed(message, options))
        return settle_unanswerable_job(worker->queue, worker->options, job);
    error = job_launch(job, worker->queue, options);
    return error ? settle_unstarted_job(worker->queue, worker->options, job, error, ret_stop) : STATUS_DONE;
}

static void watch_job(struct worker *worker, struct job *job)
{
    const size_t slot = (size_t)(job - worker->jobs);
    int error = watch(worker, job->relay.pipe, EPOLLIN, RELAY, slot);
    if (!error && job->feed.pipe >= 0)
        error = watch(worker, job->feed.pipe, EPOLLOUT, FEED, slot);
    if (error) { /* out of memory: end a command whose pipes cannot be watched */
        job_pool_add_status(worker, cli_error(error, mq_queue_name(worker->queue), "cannot watch the command"));
        job_pool_stop_claiming(worker);
        job_end(job, JOB_STOPPED, clock_monotonic());
    }
    job->renew_at = clock_monotonic() + job->lease / LEASE_PARTS;
}

void job_pool_start(struct worker *worker, mq_message *message)
{
    struct job *job = worker->jobs;
    bool stop = false;
    while (job->message)
        job++;
    worker->running++;
    job->lease = lease(worker);
    const int status = launch(worker, job, message, &stop);
    if (stop)
        job_pool_stop_claiming(worker);
    if (job->pid <= 0) {
        add_end(worker, status);
        release(worker, job);
        return;
    }
    cli_note(mq_queue_name(worker->queue), "%s: attempt %u, process %d", mq_message_id(message),
             mq_message_attempts(message), (int)job->pid);
    watch_job(worker, job);
    feed(worker, job); /* ends the job if the body could not be read */
}

int job_pool_open(struct worker *worker)
{
    worker->epoll = epoll_create1(EPOLL_CLOEXEC);
    worker->children = signals_open_children();
    if (worker->epoll < 0 || worker->children < 0)
        return worker->epoll < 0 ? -errno : worker->children;
    const int error = watch(worker, worker->signals, EPOLLIN, SIGNALS, 0);
    return error ? error : watch(worker, worker->children, EPOLLIN, CHILDREN, 0);
}
