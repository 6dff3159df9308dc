/*
 * From a send to a receiver that waits: what a shell feels.
 *
 *     latency RECEIVERS COUNT SEND-COMMAND RECEIVE-COMMAND
 *
 * Starts the receivers, which print a line for each message and all write into one pipe; then, COUNT times, runs the
 * sender as a process of its own and waits until a receiver's line is there. Prints, as name=value on one line: the
 * median and the 99th percentile from before the sender is started to after the line is read, in microseconds; the CPU
 * microseconds that a message cost the receivers, all of them; and the memory of one of them, waiting, in KiB (its
 * proportional share of what is shared). The senders' input is $LATENCY_INPUT. If $LATENCY_IDLE is set, it first counts for
 * so many milliseconds how often the receivers wake by themselves, all together: idle, in a second.
 */
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "measure.h"
#include "process.h"

#define RECEIVERS_MAX 1000
#define PATIENCE 20000     /* milliseconds */
#define SETTLED_AFTER 2000 /* milliseconds: receivers of ours look once soon after they have begun to wait */

static pid_t receivers[RECEIVERS_MAX];
static int count_receivers;

static void end_receivers(void)
{
    for (int i = 0; i < count_receivers; i++)
        kill(receivers[i], SIGKILL);
    while (wait(NULL) > 0)
        ;
}

static void fail(const char *what)
{
    fprintf(stderr, "latency: %s\n", what);
    end_receivers();
    exit(1);
}

static void start_receiver(char *const words[], int output)
{
    const pid_t pid = fork();
    if (pid < 0)
        fail("cannot fork");
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        dup2(open("/dev/null", O_RDONLY | O_CLOEXEC), 0);
        dup2(output, 1);
        execvp(words[0], words);
        _exit(127);
    }
    receivers[count_receivers++] = pid;
}

/* A figure from a file of /proc: the number behind `label`, or the first where it is empty. */
static double figure(pid_t pid, const char *file, const char *label)
{
    char path[64], line[256];
    double value = 0;
    snprintf(path, sizeof path, "/proc/%d/%s", (int)pid, file);
    FILE *stream = fopen(path, "r");
    while (stream && fgets(line, sizeof line, stream))
        if (strncmp(line, label, strlen(label)) == 0) {
            value = atof(line + strlen(label));
            break;
        }
    if (stream)
        fclose(stream);
    return value;
}

/* Nanoseconds, of all receivers. */
static double cpu_time(void)
{
    double sum = 0;
    for (int i = 0; i < count_receivers; i++)
        sum += figure(receivers[i], "schedstat", "");
    return sum;
}

/* How often all receivers went to sleep so far. */
static double count_sleeps(void)
{
    double sum = 0;
    for (int i = 0; i < count_receivers; i++)
        sum += figure(receivers[i], "status", "voluntary_ctxt_switches:");
    return sum;
}

static double measure_idling(int milliseconds)
{
    poll(NULL, 0, SETTLED_AFTER);
    const double before = count_sleeps(), begun = microseconds();
    poll(NULL, 0, milliseconds);
    return (count_sleeps() - before) / (microseconds() - begun) * 1e6;
}

/* Until they have been asleep for a while: no CPU used between two looks. */
static void wait_until_all_sleep(void)
{
    double before = -1;
    for (int look = 0; look < 200; look++) {
        const double now = cpu_time();
        if (look > 2 && now - before < 20e6 * count_receivers / 100)
            return;
        before = now;
        poll(NULL, 0, 100);
    }
}

static void await_line(int pipe)
{
    char text[65536];
    for (ssize_t got = 1; got > 0;) {
        struct pollfd ready = {.fd = pipe, .events = POLLIN};
        if (poll(&ready, 1, PATIENCE) != 1)
            fail("no message came");
        got = read(pipe, text, sizeof text);
        if (got > 0 && text[got - 1] == '\n')
            return;
    }
    fail("a receiver has ended");
}

/* What came behind the line that was waited for. */
static void discard(int pipe)
{
    char text[65536];
    while (poll(&(struct pollfd){.fd = pipe, .events = POLLIN}, 1, 0) == 1 && read(pipe, text, sizeof text) > 0)
        ;
}

static double time_one(char *const words[], const char *input, int pipe)
{
    int status;
    discard(pipe);
    const double begun = microseconds();
    process_start(words, input, "/dev/null");
    await_line(pipe);
    const double taken = microseconds() - begun;
    if (wait(&status) < 0 || status != 0)
        fail("the sender failed");
    poll(NULL, 0, 5); /* whoever was woken goes back to sleep */
    return taken;
}

int main(int argc, char **argv)
{
    char *sender[PROCESS_WORDS], *receiver[PROCESS_WORDS];
    const char *input = getenv("LATENCY_INPUT") ? getenv("LATENCY_INPUT") : "/dev/null";
    const int wanted = argc == 5 ? atoi(argv[1]) : 0, count = argc == 5 ? atoi(argv[2]) : 0;
    double *times = count > 0 ? calloc((size_t)count, sizeof *times) : NULL;
    int pipe[2];
    if (wanted < 1 || wanted > RECEIVERS_MAX || !times || pipe2(pipe, O_CLOEXEC) < 0) {
        fprintf(stderr, "usage: latency RECEIVERS COUNT SEND-COMMAND RECEIVE-COMMAND\n");
        return 64;
    }
    process_split(argv[3], sender);
    process_split(argv[4], receiver);
    for (int i = 0; i < wanted; i++)
        start_receiver(receiver, pipe[1]);
    close(pipe[1]);
    wait_until_all_sleep();
    const double idle = getenv("LATENCY_IDLE") ? measure_idling(atoi(getenv("LATENCY_IDLE"))) : 0;
    const double memory = figure(receivers[0], "smaps_rollup", "Pss:"), before = cpu_time();
    for (int i = 0; i < count; i++)
        times[i] = time_one(sender, input, pipe[0]);
    const double cpu = (cpu_time() - before) / count / 1e3, median = percentile(times, count, 50);
    printf("p50=%.0f p99=%.0f cpu=%.0f memory=%.0f idle=%.1f\n", median, percentile(times, count, 99), cpu, memory,
           idle);
    end_receivers();
    free(times);
    return 0;
}
