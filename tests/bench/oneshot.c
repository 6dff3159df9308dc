/*
 * A receive that has to wait for its message, as a script does it: body=$(receive).
 *
 *     oneshot COUNT SEND-COMMAND RECEIVE-COMMAND
 *
 * COUNT times: starts a receiver, waits until it sleeps, runs the sender, and waits until the receiver has ended. Prints,
 * as name=value on one line, the medians in microseconds: from before the sender is started to the end of the receiver,
 * and from the last byte of its output to its end. The senders' input is $LATENCY_INPUT.
 */
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "measure.h"
#include "process.h"

#define COUNT_MAX 10000
#define PATIENCE 20000 /* milliseconds */

static pid_t receiver;

static void fail(const char *what)
{
    fprintf(stderr, "oneshot: %s\n", what);
    if (receiver > 0)
        kill(receiver, SIGKILL);
    exit(1);
}

static pid_t start(char *const words[], int output)
{
    const pid_t pid = fork();
    if (pid < 0)
        fail("cannot fork");
    if (pid == 0) {
        dup2(open("/dev/null", O_RDONLY | O_CLOEXEC), 0);
        dup2(output, 1);
        execvp(words[0], words);
        _exit(127);
    }
    return pid;
}

/* A process that starts sleeps now and then, so it has to be found asleep several times. */
static void wait_until_it_sleeps(void)
{
    int asleep = 0;
    for (int look = 0; look < PATIENCE && asleep < 5; look++) {
        poll(NULL, 0, 1);
        asleep = process_is_asleep(receiver) ? asleep + 1 : 0;
    }
    if (asleep < 5)
        fail("the receiver does not wait");
}

/* When the last byte came. */
static double read_all(int pipe)
{
    char text[65536];
    double last = 0;
    for (;;) {
        struct pollfd ready = {.fd = pipe, .events = POLLIN};
        if (poll(&ready, 1, PATIENCE) != 1)
            fail("no message came");
        if (read(pipe, text, sizeof text) <= 0)
            return last;
        last = microseconds();
    }
}

static void time_one(char *const sender[], char *const words[], const char *input, double *ret_whole,
                     double *ret_ending)
{
    int pipe[2], status, sent;
    if (pipe2(pipe, O_CLOEXEC) < 0)
        fail("cannot make a pipe");
    receiver = start(words, pipe[1]);
    close(pipe[1]);
    wait_until_it_sleeps();
    const double begun = microseconds();
    const pid_t pid = process_start(sender, input, "/dev/null");
    const double last = read_all(pipe[0]);
    if (waitpid(receiver, &status, 0) < 0)
        fail("the receiver is gone");
    const double ended = microseconds();
    close(pipe[0]);
    receiver = 0;
    if (waitpid(pid, &sent, 0) < 0 || sent != 0 || status != 0 || last == 0)
        fail("the sender or the receiver failed");
    *ret_whole = ended - begun;
    *ret_ending = ended - last;
}

int main(int argc, char **argv)
{
    static double whole[COUNT_MAX], ending[COUNT_MAX];
    char *sender[PROCESS_WORDS], *words[PROCESS_WORDS];
    const char *input = getenv("LATENCY_INPUT") ? getenv("LATENCY_INPUT") : "/dev/null";
    const int count = argc == 4 ? atoi(argv[1]) : 0;
    if (count < 1 || count > COUNT_MAX) {
        fprintf(stderr, "usage: oneshot COUNT SEND-COMMAND RECEIVE-COMMAND\n");
        return 64;
    }
    process_split(argv[2], sender);
    process_split(argv[3], words);
    for (int i = 0; i < count; i++)
        time_one(sender, words, input, &whole[i], &ending[i]);
    printf("whole=%.0f ending=%.0f\n", percentile(whole, count, 50), percentile(ending, count, 50));
    return 0;
}
