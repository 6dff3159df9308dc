/* The worker: a command for each message. */
#include "worker.h"

#include <clock.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/wait.h>
#include <unistd.h>
#include <units.h>

#include "cli.h"
#include "conclude.h"
#include "environment.h"
#include "notify.h"
#include "signals.h"

#define EVENTS 16

/* A claim is renewed when so much of it has passed. */
#define LEASE_PARTS 3

/* What an event is about; with a slot's number above, where it is about a job. */
enum source { SIGNALS, CHILDREN, OUR_ERROR, FEED, RELAY };
#define SOURCE_BITS 3

enum phase { WORKING, FINISHING, ENDING, KILLING }; /* no more claims; TERM was sent; KILL was */

struct worker {
    mq_queue *queue;
    const struct worker_options *options;
    int epoll, signals, children;
    struct job *jobs; /* a slot for each command at once */
    unsigned running; /* slots in use */
    uint64_t received;
    enum phase phase;
    int64_t grace_ends;  /* JOB_NEVER: not in sight */
    int64_t next_start;  /* --max-rate */
    int64_t quiet_since; /* when we began to wait for a message */
    int signal;          /* that ends us; 0: none */
    bool polling_told;
    int status;
};

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

static void add_status(struct worker *worker, int status)
{
    /* What a command did is less than what keeps us from working. */
    if (worker->status == STATUS_DONE || worker->status == STATUS_FAILED)
        worker->status = status == STATUS_DONE ? worker->status : status;
}

/* ---- ending ----------------------------------------------------------------------- */

static void finish(struct worker *worker)
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

static void conclude(struct worker *worker, struct job *job)
{
    bool stop;
    add_status(worker, conclude_job(worker->queue, worker->options, job, &stop));
    if (stop)
        finish(worker);
    release(worker, job);
}

/* Whoever does not read our standard error shall not keep us any longer. */
static void end_job(struct worker *worker, struct job *job, int64_t kill_at)
{
    job_end(job, JOB_STOPPED, kill_at);
    if (job->message && job->pid == 0)
        conclude(worker, job);
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
            finish(worker);
            worker->signal = number;
            if (worker->options->grace != MQ_FOREVER)
                worker->grace_ends = clock_monotonic() + worker->options->grace;
        }
    }
}

/* ---- commands that end ------------------------------------------------------------ */

/* Our standard error takes no more: be told when it does, and do not ask about the job's until then. */
static void hold(struct worker *worker, struct job *job)
{
    if (job->held)
        return;
    job->held = true;
    unwatch(worker, job->relay.pipe);
    (void)watch(worker, STDERR_FILENO, EPOLLOUT | EPOLLONESHOT, OUR_ERROR, 0); /* EEXIST: another job did */
}

/* What the relay says; a job is concluded once its process has ended and all that it said was passed on. */
static void follow_relay(struct worker *worker, struct job *job, enum relay_state state)
{
    if (state == RELAY_HELD && worker->phase < ENDING)
        hold(worker, job);
    else if (state == RELAY_HELD || (state == RELAY_MORE && job->pid == 0))
        relay_close(&job->relay);
    if (job->pid == 0 && job->relay.pipe < 0)
        conclude(worker, job);
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
        follow_relay(worker, job, relay_pump(&job->relay));
    }
}

static struct job *find_job(const struct worker *worker, pid_t pid)
{
    for (unsigned i = 0; i < worker->options->parallel; i++)
        if (worker->jobs[i].message && worker->jobs[i].pid == pid)
            return &worker->jobs[i];
    return NULL; /* a child that whoever became us had */
}

/* Looked at first and waited for then: as long as the process is there its group's number is nobody else's. */
static void take_children(struct worker *worker)
{
    while (signals_take(worker->children))
        ;
    for (siginfo_t ended;
         ended.si_pid = 0, waitid(P_ALL, 0, &ended, WEXITED | WNOHANG | WNOWAIT) == 0 && ended.si_pid;) {
        struct job *job = find_job(worker, ended.si_pid);
        const bool exited = ended.si_code == CLD_EXITED;
        if (job)
            job_note_end(job, exited ? W_EXITCODE(ended.si_status, 0) : W_EXITCODE(0, ended.si_status));
        (void)waitpid(ended.si_pid, NULL, 0);
        if (job)
            follow_relay(worker, job, relay_finish(&job->relay));
    }
}

/* ---- events and times ------------------------------------------------------------- */

static void feed(struct worker *worker, struct job *job)
{
    if (!job->message || !feed_pump(&job->feed, job->message) || !job->feed.error)
        return;
    job_end(job, JOB_UNREADABLE, clock_monotonic() + worker->options->job.kill_after);
}

static void dispatch(struct worker *worker, uint64_t data)
{
    struct job *job = &worker->jobs[data >> SOURCE_BITS];
    switch ((enum source)(data & ((1 << SOURCE_BITS) - 1))) {
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
    case RELAY:
        if (job->message && !job->held)
            follow_relay(worker, job, relay_pump(&job->relay));
        break;
    }
}

/* As epoll_wait takes it: rounded up, so that we do not wake too early; -1: for ever. */
static int milliseconds_until(int64_t time)
{
    const int64_t left = time == JOB_NEVER ? 0 : (time - clock_monotonic() + 999) / 1000;
    return time == JOB_NEVER ? -1 : left < 0 ? 0 : left < INT_MAX ? (int)left : INT_MAX;
}

/* Take what has happened, or sleep until something does or `time` comes. */
static void take_events(struct worker *worker, int64_t time)
{
    struct epoll_event events[EVENTS];
    const int count = epoll_wait(worker->epoll, events, EVENTS, milliseconds_until(time));
    for (int i = 0; i < count; i++)
        dispatch(worker, events[i].data.u64);
}

/* A claim that cannot be renewed was settled by its command, or lapsed while we were stopped: then the message may be
   at work elsewhere, too. */
static void renew(struct worker *worker, struct job *job, int64_t now)
{
    const bool late = now >= job->renew_at + job->lease - job->lease / LEASE_PARTS;
    const int error = mq_extend(worker->queue, mq_message_receipt(job->message), job->lease);
    job->renew_at = error == -ESTALE ? JOB_NEVER : now + job->lease / LEASE_PARTS;
    if (error == -ESTALE && late)
        (void)cli_fail(STATUS_FAILED, mq_queue_name(worker->queue),
                       "%s: its claim lapsed while its command runs, and it will be delivered again",
                       mq_message_id(job->message));
    else if (error && error != -ESTALE)
        (void)cli_queue_error(error, mq_queue_name(worker->queue), "cannot renew a claim");
}

static void heed_time(struct worker *worker, struct job *job, int64_t now)
{
    if (job->term_at <= now)
        job_end(job, JOB_TIMED_OUT, now + worker->options->job.kill_after);
    if (job->kill_at <= now)
        job_kill(job);
    if (job->renew_at <= now)
        renew(worker, job, now);
}

/* Do what is due. The moment when there is something again. */
static int64_t heed_times(struct worker *worker)
{
    const int64_t now = clock_monotonic();
    if (worker->grace_ends <= now)
        end_jobs(worker);
    int64_t next = worker->grace_ends;
    for (unsigned i = 0; i < worker->options->parallel; i++) {
        struct job *job = &worker->jobs[i];
        if (!job->message)
            continue;
        heed_time(worker, job, now);
        const int64_t own = job_next_time(job);
        next = own < next ? own : next;
    }
    return next;
}

/* ---- commands that begin ---------------------------------------------------------- */

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
        return conclude_unprepared(worker->queue, job, error, ret_stop);
    error = job_launch(job, worker->queue, options);
    return error ? conclude_unlaunched(worker->queue, worker->options, job, error, ret_stop) : STATUS_DONE;
}

static void watch_job(struct worker *worker, struct job *job)
{
    const size_t slot = (size_t)(job - worker->jobs);
    int error = watch(worker, job->relay.pipe, EPOLLIN, RELAY, slot);
    if (!error && job->feed.pipe >= 0)
        error = watch(worker, job->feed.pipe, EPOLLOUT, FEED, slot);
    if (error) { /* out of memory: end what we cannot attend to */
        add_status(worker, cli_error(error, mq_queue_name(worker->queue), "cannot watch the command"));
        finish(worker);
        job_end(job, JOB_STOPPED, clock_monotonic());
    }
    job->lease = lease(worker);
    job->renew_at = clock_monotonic() + job->lease / LEASE_PARTS;
}

static void start(struct worker *worker, mq_message *message)
{
    struct job *job = worker->jobs;
    bool stop = false;
    while (job->message)
        job++;
    worker->running++;
    const int status = launch(worker, job, message, &stop);
    add_status(worker, status);
    if (stop)
        finish(worker);
    if (job->pid <= 0) {
        release(worker, job);
        return;
    }
    cli_note(mq_queue_name(worker->queue), "%s: attempt %u, process %d", mq_message_id(message),
             mq_message_attempts(message), (int)job->pid);
    watch_job(worker, job);
    feed(worker, job); /* where the body could not be read */
}

/* With --once: what was acked here before is acked again, and no more. True: that is all. */
static bool was_done(struct worker *worker, mq_message *message)
{
    const int done = worker->options->once ? mq_was_acked(worker->queue, mq_message_id(message)) : 0;
    if (done != 1)
        return false;
    cli_note(mq_queue_name(worker->queue), "%s: was done before", mq_message_id(message));
    const int error = mq_ack(worker->queue, mq_message_receipt(message));
    if (error && error != -ESTALE)
        add_status(worker, cli_queue_error(error, mq_queue_name(worker->queue), "cannot ack"));
    mq_message_free(message);
    return true;
}

/* ---- messages --------------------------------------------------------------------- */

static bool may_claim(const struct worker *worker)
{
    const struct worker_options *options = worker->options;
    return worker->phase == WORKING && (options->count == 0 || worker->received < options->count);
}

static int64_t earlier(int64_t one, int64_t other)
{
    return one < other ? one : other;
}

/* When the wait for a message is over: with --until-empty at once, unless a command at work may send more. */
static int64_t end_of_wait(const struct worker *worker)
{
    const int64_t wait = worker->options->receive.wait;
    if (worker->options->until_empty && worker->running > 0)
        return JOB_NEVER;
    if (wait == MQ_FOREVER)
        return worker->options->until_empty ? worker->quiet_since : JOB_NEVER;
    return worker->quiet_since + wait;
}

static void tell_if_polling(struct worker *worker)
{
    if (!worker->polling_told && mq_queue_is_polling(worker->queue)) {
        cli_note(mq_queue_name(worker->queue), "looking again and again, since inotify is not to be had");
        worker->polling_told = true;
    }
}

static void take_message(struct worker *worker, mq_message *message)
{
    const int64_t now = clock_monotonic();
    worker->received++;
    worker->quiet_since = now;
    worker->next_start = (worker->next_start > now ? worker->next_start : now) + worker->options->interval;
    if (!was_done(worker, message))
        start(worker, message);
}

/* Claim the next message and start its command; whatever else there is to do comes first, and ends the wait. */
static void claim(struct worker *worker, int64_t next_time)
{
    mq_message *message;
    struct mq_receive_options wanted = worker->options->receive;
    const int64_t now = clock_monotonic(), over = end_of_wait(worker), wake = earlier(over, next_time);
    wanted.cancel_fd = worker->epoll;
    wanted.wait = wake == JOB_NEVER ? MQ_FOREVER : wake > now ? wake - now : 0;
    const int came = mq_receive(worker->queue, &wanted, &message);
    tell_if_polling(worker);
    if (came == 1) {
        take_message(worker, message);
    } else if (came == -ECANCELED) {
        take_events(worker, 0);
    } else if (came < 0) {
        add_status(worker, cli_queue_error(came, mq_queue_name(worker->queue), "cannot receive"));
        finish(worker);
    } else if (over <= clock_monotonic()) {
        finish(worker);
    }
}

static void work(struct worker *worker)
{
    for (;;) {
        const int64_t next_time = heed_times(worker);
        const bool wanted = may_claim(worker);
        if (!wanted && worker->running == 0)
            return;
        if (!wanted || worker->running == worker->options->parallel)
            take_events(worker, next_time);
        else if (worker->next_start > clock_monotonic())
            take_events(worker, earlier(next_time, worker->next_start));
        else
            claim(worker, next_time);
    }
}

static int open_events(struct worker *worker)
{
    worker->epoll = epoll_create1(EPOLL_CLOEXEC);
    worker->children = signals_open_children();
    if (worker->epoll < 0 || worker->children < 0)
        return worker->epoll < 0 ? -errno : worker->children;
    const int error = watch(worker, worker->signals, EPOLLIN, SIGNALS, 0);
    return error ? error : watch(worker, worker->children, EPOLLIN, CHILDREN, 0);
}

int worker_run(mq_queue *queue, const struct worker_options *options)
{
    struct worker worker = {
        .queue = queue,
        .options = options,
        .signals = options->receive.cancel_fd,
        .grace_ends = JOB_NEVER,
        .quiet_since = clock_monotonic(),
        .jobs = cli_must(calloc(options->parallel, sizeof *worker.jobs)),
    };
    const int error = open_events(&worker);
    if (error)
        return cli_error(error, mq_queue_name(queue), "cannot watch for events");
    environment_prepare();
    notify("READY=1");
    work(&worker);
    finish(&worker);
    free(worker.jobs);
    if (worker.signal && !options->follow)
        signals_die(worker.signal);
    if (worker.received == 0 && worker.status == STATUS_DONE && !worker.signal)
        return STATUS_NOTHING;
    return worker.status;
}
