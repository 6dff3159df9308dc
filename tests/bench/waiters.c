/*
 * What waiting costs: WAITERS processes blocked on one queue, COUNT messages sent to them one by one.
 *
 *     waiters WAITERS COUNT [QUEUES]
 *
 * With QUEUES, one process more is blocked on that many queues at once. Prints, as name=value on one line: the median
 * and the 99th percentile of the time from before the send to after the claim, in microseconds; the context switches
 * that a message costs over all waiters, less what they do by themselves in the same time when nothing comes; how many
 * messages nobody got; the median of bare wake-ups (wakeup.h), one after each message: what this machine takes for them
 * now; and with QUEUES the median of as many messages, in turn with the others, to these queues one after the other.
 * Needs $MQ_SPOOL.
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
#define QUEUES_MAX 64
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

static mq_queue *open_queue(const char *name)
{
    mq_queue *queue;
    const int error = mq_open(NULL, name, MQ_CREATE, &queue);
    if (error)
        fail("cannot open", error);
    return queue;
}

/* The queues of the process that is blocked on several. */
static mq_queue *open_several(int number)
{
    char name[32];
    snprintf(name, sizeof name, "several-%d", number);
    return open_queue(name);
}

static void note_claim(struct board *board, mq_queue *queue, mq_message *message, double now)
{
    char body[16] = "";
    if (mq_message_read(message, body, sizeof body - 1) < 0)
        fail("cannot read", -EIO);
    atomic_store(&board->claimed[atoi(body)], now);
    mq_ack(queue, mq_message_receipt(message));
    mq_message_free(message);
}

static void receive_for_ever(struct board *board)
{
    mq_queue *queue = open_queue(QUEUE);
    atomic_fetch_add(&board->ready, 1);
    for (;;) {
        mq_message *message;
        const int got = mq_receive(queue, &(struct mq_receive_options){MQ_RECEIVE_DEFAULTS}, &message);
        const double now = microseconds();
        if (got != 1)
            fail("cannot receive", got);
        note_claim(board, queue, message, now);
    }
}

static void receive_from_several(struct board *board, int count)
{
    mq_sources *sources;
    int got = mq_sources_new(0, &sources);
    for (int i = 0; i < count && !got; i++)
        got = mq_sources_add(sources, open_several(i));
    atomic_fetch_add(&board->ready, 1);
    for (;;) {
        mq_message *message;
        if (!got)
            got = mq_sources_receive(sources, &(struct mq_receive_options){MQ_RECEIVE_DEFAULTS}, &message);
        const double now = microseconds();
        if (got != 1)
            fail("cannot receive", got);
        got = 0;
        note_claim(board, mq_sources_queue(sources), message, now);
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

struct measured {
    mq_queue *queue;   /* of the waiters */
    mq_queue **others; /* of the process that is blocked on several */
    int other_count;
    const struct board *board;
    const struct wakeup *wakeup;
    const pid_t *waiters;
    int count, messages;
};

static void measure(const struct measured *measured)
{
    const int messages = measured->messages, count = measured->count, others = measured->other_count;
    double *times = calloc((size_t)messages * 3, sizeof *times), *bare = times + messages, *several = bare + messages;
    int missing = 0;
    const double idling = measure_idling(measured->waiters, count), begun = microseconds();
    const long before = context_switches(measured->waiters, count);
    for (int i = 0; i < messages; i++) {
        times[i] = time_one(measured->queue, measured->board, i);
        missing += times[i] < 0;
        bare[i] = wakeup_time(measured->wakeup);
        several[i] = others ? time_one(measured->others[i % others], measured->board, messages + i) : 0;
        missing += several[i] < 0;
    }
    const double switches = (double)(context_switches(measured->waiters, count) - before) -
                            idling * (microseconds() - begun);
    const double median = percentile(times, messages, 50), slow = percentile(times, messages, 99);
    printf("p50_us=%.0f p99_us=%.0f switches=%.2f missing=%d bare_us=%.0f", median, slow, switches / messages, missing,
           percentile(bare, messages, 50));
    if (others)
        printf(" several_us=%.0f", percentile(several, messages, 50));
    printf("\n");
    free(times);
}

static int number(char **argv, int argc, int index, int most)
{
    const int value = index < argc ? atoi(argv[index]) : 0;
    return value <= most ? value : 0;
}

int main(int argc, char **argv)
{
    static pid_t waiters[WAITERS_MAX + 1];
    static mq_queue *others[QUEUES_MAX];
    const int count = number(argv, argc, 1, WAITERS_MAX), messages = number(argv, argc, 2, 1000000),
              several = number(argv, argc, 3, QUEUES_MAX);
    if (count < 1 || messages < 1 || (argc != 3 && (argc != 4 || several < 1)) || !getenv("MQ_SPOOL")) {
        fprintf(stderr, "usage: waiters WAITERS COUNT [QUEUES]\n");
        return 64;
    }
    struct board *board = mmap(NULL, sizeof *board + (size_t)messages * 2 * sizeof(double), PROT_READ | PROT_WRITE,
                               MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (board == MAP_FAILED)
        fail("no memory", -ENOMEM);
    mq_queue *queue = open_queue(QUEUE);
    for (int i = 0; i < several; i++)
        others[i] = open_several(i);
    const int all = count + (several > 0);
    for (int i = 0; i < all; i++) {
        waiters[i] = fork();
        if (waiters[i] == 0 && i < count)
            receive_for_ever(board);
        if (waiters[i] == 0)
            receive_from_several(board, several);
    }
    struct wakeup wakeup;
    wakeup_begin(&wakeup, getenv("MQ_SPOOL"));
    wait_until_all_sleep(board, waiters, all);
    measure(&(struct measured){queue, others, several, board, &wakeup, waiters, count, messages});
    wakeup_end(&wakeup);
    for (int i = 0; i < all; i++)
        kill(waiters[i], SIGKILL);
    while (wait(NULL) > 0)
        ;
    return 0;
}
