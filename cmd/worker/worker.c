/* The worker: a command for each message. */
#include "worker/worker.h"

#include "base/clock.h"
#include <errno.h>
#include <stdlib.h>

#include "cli/cli.h"
#include "cli/group.h"
#include "cli/signals.h"
#include "worker/environment.h"
#include "worker/job_pool.h"

static void ack_again(struct worker *worker, mq_queue *queue, mq_message *message)
{
    const char *name = mq_queue_name(queue);
    cli_note(name, "%s: was done before", mq_message_id(message));
    const int error = mq_ack_again(queue, mq_message_receipt(message));
    if (error && error != -ESTALE)
        job_pool_add_status(worker, cli_queue_error(error, name, "cannot ack"));
}

/* Give a message back, since it cannot be known whether it was acked before. */
static void give_back(struct worker *worker, mq_queue *queue, mq_message *message, int why)
{
    (void)mq_release(queue, mq_message_receipt(message)); /* after an error, the deadline returns it */
    job_pool_add_status(worker, cli_queue_error(why, mq_queue_name(queue), "cannot see what was done before"));
    job_pool_stop_claiming(worker);
}

/* With --once, a message whose id was acked before is acked without running the command. True: no command is needed. */
static bool was_done(struct worker *worker, mq_queue *queue, mq_message *message)
{
    const int done = worker->options->once ? mq_was_acked(queue, mq_message_id(message)) : 0;
    if (done == 0)
        return false;
    if (done == 1)
        ack_again(worker, queue, message);
    else
        give_back(worker, queue, message, done);
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

/* When the wait for a message ends. With --until-empty it ends at once, unless a running command may send more. */
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
    const mq_queue *queue = mq_sources_queue(worker->sources);
    if (!worker->polling_told && mq_queue_is_polling(queue)) {
        cli_note(mq_queue_name(queue), "polling, since inotify is not available");
        worker->polling_told = true;
    }
}

static void take_message(struct worker *worker, mq_queue *queue, mq_message *message)
{
    const int64_t now = clock_monotonic();
    worker->received++;
    worker->quiet_since = now;
    worker->next_start = (worker->next_start > now ? worker->next_start : now) + worker->options->interval;
    if (!was_done(worker, queue, message))
        job_pool_start(worker, queue, message);
}

/* Claim the next message and start its command. Any other event or timer ends the wait. */
static void claim(struct worker *worker, int64_t next_time)
{
    mq_message *message;
    struct mq_receive_options wanted = worker->options->receive;
    const int64_t now = clock_monotonic(), over = end_of_wait(worker), wake = earlier(over, next_time);
    wanted.cancel_fd = worker->epoll;
    wanted.wait = wake == JOB_NEVER ? MQ_FOREVER : wake > now ? wake - now : 0;
    const int came = mq_sources_receive(worker->sources, &wanted, &message);
    mq_queue *queue = mq_sources_queue(worker->sources);
    tell_if_polling(worker);
    group_tell_overtaken(queue);
    if (came == 1) {
        take_message(worker, queue, message);
    } else if (came == -ECANCELED) {
        job_pool_handle_events(worker, 0);
    } else if (came < 0) {
        job_pool_add_status(worker, cli_queue_error(came, mq_queue_name(queue), "cannot receive"));
        job_pool_stop_claiming(worker);
    } else if (over <= clock_monotonic()) {
        job_pool_stop_claiming(worker);
    }
}

static int64_t tell_manager(struct worker *worker)
{
    const struct service_figures figures = {worker->running, worker->done, worker->failed};
    return service_tell(&worker->service, &figures, clock_monotonic());
}

static void work(struct worker *worker)
{
    for (;;) {
        const int64_t next_time = earlier(job_pool_run_timers(worker), tell_manager(worker));
        const bool wanted = may_claim(worker);
        if (!wanted && worker->running == 0)
            return;
        if (!wanted || worker->running == worker->options->parallel)
            job_pool_handle_events(worker, next_time);
        else if (worker->next_start > clock_monotonic())
            job_pool_handle_events(worker, earlier(next_time, worker->next_start));
        else
            claim(worker, next_time);
    }
}

int worker_run(mq_sources *sources, const struct worker_options *options)
{
    struct worker worker = {
        .sources = sources,
        .options = options,
        .signals = options->receive.cancel_fd,
        .grace_ends = JOB_NEVER,
        .quiet_since = clock_monotonic(),
        .jobs = cli_must(calloc(options->parallel, sizeof *worker.jobs)),
    };
    const int error = job_pool_open(&worker);
    if (error)
        return cli_error(error, NULL, "cannot watch for events");
    environment_prepare();
    service_begin(&worker.service, clock_monotonic());
    work(&worker);
    job_pool_stop_claiming(&worker);
    job_pool_close(&worker);
    free(worker.jobs);
    if (worker.signal && !options->follow)
        signals_die(worker.signal);
    /* With --until-empty an empty queue is no failure: a timer, or a script with `set -e`, drains it again and
       again. */
    const bool nothing_came = worker.received == 0 && worker.status == STATUS_DONE && !worker.signal;
    if (nothing_came)
        (void)drain_say_paused(&options->drain);
    if (nothing_came && !options->until_empty)
        return STATUS_NOTHING;
    return worker.status;
}
