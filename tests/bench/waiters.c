/*
 * What waiting costs: WAITERS processes blocked on one queue, COUNT messages sent to them one by one.
 *
 *     waiters WAITERS COUNT
 *
 * Prints, as name=value on one line: the median and the 99th percentile of the time from before the send to
 * after the claim, in microseconds; the context switches that a message costs over all waiters, less what
 * they do by themselves in the same time when nothing comes; how many messages nobody got; and the median
 * of bare wake-ups (wakeup.h), one after each message: what this machine takes for them now. Needs $MQ_SPOOL.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "measure.h"
#include "mq.h"
#include "process.h"
#include "wakeup.h"

#define QUEUE "waiters"
#define WAITERS_MAX 1000
#define PATIENCE 20e6 /* microseconds for one message, or for all to fall asleep */

struct board {
    atomic_int ready;
    _Atomic double claimed[]; /* when, by message */
};

static void fail(const char *what, int error)
{
    fprintf(stderr, "waiters: %s: %s\n", what, strerror(-error));
    exit(1);
}

static void receive_for_ever(struct board *board)
{
    mq_queue *queue;
    int error = mq_open(NULL, QUEUE, 0, &queue);
    if (error)
        fail("cannot open", error);
    atomic_fetch_add(&board->ready, 1);
    for (;;) {
        mq_message *message;
        char body[16] = "";
        error = mq_receive(queue, &(struct mq_receive_options){MQ_RECEIVE_DEFAULTS}, &message);
        const double now = microseconds();
        if (error != 1 || mq_message_read(message, body, sizeof body - 1) < 0)
            fail("cannot receive", error);
        atomic_store(&board->claimed[atoi(body)], now);
        mq_ack(queue, mq_message_receipt(message));
        mq_message_free(message);
    }
}

/* Of all waiters together. */
static long context_switches(const pid_t *waiters, int count)
{
    long sum = 0;
    for (int i = 0; i < count; i++) {
        char path[64], line[256];
        snprintf(path, sizeof path, "/proc/%d/status", (int)waiters[i]);
        FILE *status = fopen(path, "r");
        long switches;
        while (status && fgets(line, sizeof line, status))
            if (sscanf(line, "voluntary_ctxt_switches: %ld", &switches) == 1)
                sum += switches;
        if (status)
            fclose(status);
    }
    return sum;
}

static bool all_asleep(const pid_t *waiters, int count)
{
    for (int i = 0; i < count; i++)
        if (!process_is_asleep(waiters[i]))
            return false;
    return true;
}

static void wait_until_all_sleep(const struct board *board, const pid_t *waiters, int count)
{
    const double begun = microseconds();
    while (atomic_load(&board->ready) < count || !all_asleep(waiters, count)) {
        if (microseconds() - begun > PATIENCE)
            fail("waiters do not come to rest", -ETIMEDOUT);
        poll(NULL, 0, 10);
    }
}

/* What the waiters do by themselves, in switches a microsecond. */
static double measure_idling(const pid_t *waiters, int count)
{
    const long before = context_switches(waiters, count);
    const double begun = microseconds();
    poll(NULL, 0, 2000);
    return (double)(context_switches(waiters, count) - before) / (microseconds() - begun);
}

static void send_number(mq_queue *queue, int number)
{
    char body[16];
    mq_message *message;
    int error = mq_message_new(&message);
    if (!error) {
        mq_message_set_body(message, body, (size_t)snprintf(body, sizeof body, "%d", number));
        struct mq_send_options options = {MQ_SEND_DEFAULTS};
        options.no_sync = true;
        error = mq_send(queue, message, &options, NULL);
        mq_message_free(message);
    }
    if (error)
        fail("cannot send", error);
}

/* Send one and wait for its claim: the microseconds between, or -1. */
static double time_one(mq_queue *queue, const struct board *board, int number)
{
    const double begun = microseconds();
    send_number(queue, number);
    while (atomic_load(&board->claimed[number]) == 0) {
        if (microseconds() - begun > PATIENCE)
            return -1;
        poll(NULL, 0, 1);
    }
    poll(NULL, 0, 3); /* a pause as between real messages: whoever was woken goes back to sleep */
    return atomic_load(&board->claimed[number]) - begun;
}

static void measure(mq_queue *queue, const struct board *board, const struct wakeup *wakeup, const pid_t *waiters,
                    int count, int messages)
{
    double *times = calloc((size_t)messages, sizeof *times), *bare = calloc((size_t)messages, sizeof *bare);
    int missing = 0;
    const double idling = measure_idling(waiters, count), begun = microseconds();
    const long before = context_switches(waiters, count);
    for (int i = 0; i < messages; i++) {
        times[i] = time_one(queue, board, i);
        missing += times[i] < 0;
        bare[i] = wakeup_time(wakeup);
    }
    const double switches = (double)(context_switches(waiters, count) - before) - idling * (microseconds() - begun);
    const double median = percentile(times, messages, 50), slow = percentile(times, messages, 99);
    printf("p50_us=%.0f p99_us=%.0f switches=%.2f missing=%d bare_us=%.0f\n", median, slow, switches / messages,
           missing, percentile(bare, messages, 50));
    free(times);
    free(bare);
}

int main(int argc, char **argv)
{
    static pid_t waiters[WAITERS_MAX];
    const int count = argc == 3 ? atoi(argv[1]) : 0, messages = argc == 3 ? atoi(argv[2]) : 0;
    if (count < 1 || count > WAITERS_MAX || messages < 1 || !getenv("MQ_SPOOL")) {
        fprintf(stderr, "usage: waiters WAITERS COUNT\n");
        return 64;
    }
    struct board *board = mmap(NULL, sizeof *board + (size_t)messages * sizeof(double), PROT_READ | PROT_WRITE,
                               MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    mq_queue *queue;
    const int error = board == MAP_FAILED ? -ENOMEM : mq_open(NULL, QUEUE, MQ_CREATE, &queue);
    if (error)
        fail("cannot open", error);
    for (int i = 0; i < count; i++) {
        waiters[i] = fork();
        if (waiters[i] == 0)
            receive_for_ever(board);
    }
    struct wakeup wakeup;
    wakeup_begin(&wakeup, getenv("MQ_SPOOL"));
    wait_until_all_sleep(board, waiters, count);
    measure(queue, board, &wakeup, waiters, count, messages);
    wakeup_end(&wakeup);
    for (int i = 0; i < count; i++)
        kill(waiters[i], SIGKILL);
    while (wait(NULL) > 0)
        ;
    mq_close(queue);
    return 0;
}
