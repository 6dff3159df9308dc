/* The commands that a worker runs at the same time, and their events. */
#include "worker/job_pool.h"

#include "base/clock.h"
#include "base/units.h"
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/notify.h"
#include "cli/signals.h"
#include "worker/reply.h"
#include "worker/settlement.h"
#include "worker/watching.h"

#define EVENTS 16

/* Descriptors that the worker itself needs, and the most that one job needs. */
#define OTHER_FILES 64
#define JOB_FILES 14

/* A claim is renewed when this part of it has passed. */
#define LEASE_PARTS 3

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
    drain_update(&worker->options->drain, worker->done + worker->failed, worker->running - 1);
    job_pool_add_status(worker, status);
}

void job_pool_close(struct worker *worker)
{
    rests_close(&worker->rests);
    for (int stream = 0; stream < MQ_STREAMS; stream++)
        outlet_release(&worker->outlets.streams[stream]);
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
    struct relay_turn *turn = &worker->outlets.turn;
    worker->turn_came |= turn->of == job;
    turn->of = turn->of == job ? NULL : turn->of;
    job_release(job);
    worker->running--;
    worker->quiet_since = clock_monotonic();
}

static void settle(struct worker *worker, struct job *job)
{
    bool stop;
    add_end(worker, settle_finished_job(job->queue, worker->options, job, &stop));
    if (stop)
        job_pool_stop_claiming(worker);
    for (int stream = 0; stream < MQ_STREAMS; stream++)
        rests_keep(&worker->rests, &job->streams[stream], (enum mq_stream)stream);
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

/* Do not read a stream of a job until the worker's takes more, or until the job has its turn. */
static void hold(struct worker *worker, struct relay *relay, enum mq_stream stream, enum relay_state why)
{
    if (!relay->held && relay->pipe >= 0)
        unwatch(worker->epoll, relay->pipe);
    relay->held = true;
    if (why == RELAY_HELD)
        watch_outlet(worker->epoll, worker->outlets.streams[stream].fd, stream);
}

/* Act on the state of a stream. If the worker ends, what nobody takes is dropped. */
static void follow_relay(struct worker *worker, struct job *job, enum mq_stream stream, enum relay_state state)
{
    struct relay *relay = &job->streams[stream];
    if (state == RELAY_WAITS || (state == RELAY_HELD && worker->phase < ENDING))
        hold(worker, relay, stream, state);
    else if (state == RELAY_HELD || (state == RELAY_MORE && job->pid == 0))
        relay_close(relay);
}

/* A job is settled when its process has ended and all that it printed was passed on. */
static void settle_if_over(struct worker *worker, struct job *job)
{
    if (job->message && job->pid == 0 && !job_has_output(job))
        settle(worker, job);
}

static void pump(struct worker *worker, struct job *job, enum mq_stream stream)
{
    follow_relay(worker, job, stream, relay_pump(&job->streams[stream]));
    settle_if_over(worker, job);
}

/* Of a group, standard error is printed behind standard output. */
static void finish(struct worker *worker, struct job *job)
{
    for (int stream = 0; stream < MQ_STREAMS; stream++)
        follow_relay(worker, job, (enum mq_stream)stream, relay_finish(&job->streams[stream]));
    settle_if_over(worker, job);
}

static void resume(struct worker *worker, unsigned slot, enum mq_stream stream)
{
    struct job *job = &worker->jobs[slot];
    struct relay *relay = &job->streams[stream];
    if (!job->message || !relay->held)
        return;
    relay->held = false;
    if (relay->pipe >= 0)
        (void)watch(worker->epoll, relay->pipe, EPOLLIN, (struct watched){RELAY, stream, slot});
    pump(worker, job, stream);
}

/* One of the worker's own streams takes more. */
static void resume_held(struct worker *worker, enum mq_stream stream)
{
    unwatch(worker->epoll, worker->outlets.streams[stream].fd);
    for (unsigned i = 0; i < worker->options->parallel; i++)
        resume(worker, i, stream);
    rests_resume(&worker->rests, stream);
}

/* Another job may print its group. */
static void pass_turn(struct worker *worker)
{
    while (worker->turn_came) {
        worker->turn_came = false;
        for (unsigned i = 0; i < worker->options->parallel; i++)
            for (int stream = 0; stream < MQ_STREAMS; stream++)
                resume(worker, i, (enum mq_stream)stream);
    }
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
        (void)cli_fail(STATUS_DONE, mq_queue_name(job->queue), "%s: its command, process %d, was stopped by SIG%s",
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
            finish(worker, job);
    }
}

/* ---- events and times ------------------------------------------------------------- */

static void feed(struct worker *worker, struct job *job)
{
    if (!job->message || !stdin_feed_pump(&job->feed, job->message) || !job->feed.error)
        return;
    job_end(job, JOB_UNREADABLE, clock_monotonic() + worker->options->job.kill_after);
}

static void dispatch(struct worker *worker, struct watched about)
{
    struct job *job = about.source == FEED || about.source == RELAY ? &worker->jobs[about.slot] : NULL;
    switch (about.source) {
    case SIGNALS:
        take_signals(worker);
        break;
    case CHILDREN:
        take_children(worker);
        break;
    case OUTLET:
        resume_held(worker, about.stream);
        break;
    case FEED:
        feed(worker, job);
        break;
    case REST:
        rests_pass(&worker->rests, (int)about.slot);
        break;
    case RELAY:
        if (job->message && !job->streams[about.stream].held)
            pump(worker, job, about.stream);
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
        dispatch(worker, watched_unpack(events[i].data.u64));
}

/* Renew the claim of a job. If the claim has ended, either the command settled it, or it lapsed while this process was
   stopped; then another receiver may work on the message, too. */
static void renew(struct job *job, int64_t now)
{
    const bool late = now >= job->renew_at + job->lease - job->lease / LEASE_PARTS;
    const int error = mq_extend(job->queue, mq_message_receipt(job->message), job->lease);
    job_extend_transaction(job);
    job->renew_at = error == -ESTALE ? JOB_NEVER : now + job->lease / LEASE_PARTS;
    if (error == -ESTALE && late)
        (void)cli_fail(STATUS_FAILED, mq_queue_name(job->queue),
                       "%s: its claim lapsed while its command runs, and it will be delivered again",
                       mq_message_id(job->message));
    else if (error && error != -ESTALE)
        (void)cli_queue_error(error, mq_queue_name(job->queue), "cannot renew a claim");
}

static void run_timers(struct worker *worker, struct job *job, int64_t now)
{
    if (job->term_at <= now)
        job_end(job, JOB_TIMED_OUT, now + worker->options->job.kill_after);
    if (job->kill_at <= now)
        job_kill(job);
    if (job->renew_at <= now)
        renew(job, now);
}

int64_t job_pool_run_timers(struct worker *worker)
{
    const int64_t now = clock_monotonic();
    pass_turn(worker);
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

static int64_t lease(const struct worker *worker, const struct job *job)
{
    char text[UNITS_TEXT_SIZE];
    int64_t timeout = worker->options->receive.ack_timeout;
    if (timeout == 0 && mq_config_get(job->queue, "ack-timeout", text, sizeof text) == 0)
        (void)units_parse_duration(text, &timeout);
    return timeout;
}

static int launch(struct worker *worker, struct job *job, mq_message *message, bool *ret_stop)
{
    const struct job_options *options = &worker->options->job;
    int error = job_prepare(job, message, options, &worker->outlets);
    if (error)
        return settle_unprepared_job(job->queue, worker->options, job, error, ret_stop);
    if (options->reply && !reply_is_allowed(message, options))
        return settle_unanswerable_job(job->queue, worker->options, job);
    error = job_launch(job, job->queue, options);
    return error ? settle_unstarted_job(job->queue, worker->options, job, error, ret_stop) : STATUS_DONE;
}

static void watch_job(struct worker *worker, struct job *job)
{
    const size_t slot = (size_t)(job - worker->jobs);
    int error = 0;
    for (int stream = 0; stream < MQ_STREAMS && !error; stream++)
        if (job->streams[stream].pipe >= 0)
            error = watch(worker->epoll, job->streams[stream].pipe, EPOLLIN,
                          (struct watched){RELAY, (enum mq_stream)stream, slot});
    if (!error && job->feed.pipe >= 0)
        error = watch(worker->epoll, job->feed.pipe, EPOLLOUT, (struct watched){.source = FEED, .slot = slot});
    if (error) { /* out of memory: end a command whose pipes cannot be watched */
        job_pool_add_status(worker, cli_error(error, mq_queue_name(job->queue), "cannot watch the command"));
        job_pool_stop_claiming(worker);
        job_end(job, JOB_STOPPED, clock_monotonic());
    }
    job->renew_at = clock_monotonic() + job->lease / LEASE_PARTS;
}

void job_pool_start(struct worker *worker, mq_queue *queue, mq_message *message)
{
    struct job *job = worker->jobs;
    bool stop = false;
    while (job->message)
        job++;
    worker->running++;
    job->queue = queue;
    job->lease = lease(worker, job);
    const int status = launch(worker, job, message, &stop);
    if (stop)
        job_pool_stop_claiming(worker);
    if (job->pid <= 0) {
        add_end(worker, status);
        release(worker, job);
        return;
    }
    cli_note(mq_queue_name(job->queue), "%s: attempt %u, process %d", mq_message_id(message),
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
    worker->outlets.streams[MQ_STDOUT].fd = STDOUT_FILENO;
    worker->outlets.streams[MQ_STDERR].fd = STDERR_FILENO;
    worker->rests = (struct rests){.epoll = worker->epoll,
                                   .outlets = worker->outlets.streams,
                                   .reserved = OTHER_FILES + (size_t)worker->options->parallel * JOB_FILES};
    const int error = watch(worker->epoll, worker->signals, EPOLLIN, (struct watched){.source = SIGNALS});
    return error ? error : watch(worker->epoll, worker->children, EPOLLIN, (struct watched){.source = CHILDREN});
}
