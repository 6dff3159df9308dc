/*
 * What a command takes.
 *
 *     stopwatch COPIES INPUT OUTPUT COMMAND [ARGUMENT…]
 *
 * Starts so many copies at once, each with its own open INPUT and OUTPUT, and waits for all. Prints the seconds until
 * the last has ended, the CPU seconds of all, and the peak memory of the largest in KiB. It fails when a copy exits
 * with anything but 0, or 1 where there are several: that one found nothing left to do. Whatever takes ten minutes
 * hangs: it is killed, and that is a failure too.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "measure.h"
#include "process.h"

#define COPIES_MAX 64
#define PATIENCE 600 /* seconds */

static pid_t copies[COPIES_MAX];

static double seconds(struct timeval time)
{
    return (double)time.tv_sec + (double)time.tv_usec / 1e6;
}

static void kill_all(int signal)
{
    (void)signal;
    for (int i = 0; i < COPIES_MAX; i++)
        if (copies[i] > 0)
            kill(copies[i], SIGKILL);
}

int main(int argc, char **argv)
{
    const int count = argc >= 5 ? atoi(argv[1]) : 0;
    if (count < 1 || count > COPIES_MAX) {
        fprintf(stderr, "usage: stopwatch COPIES INPUT OUTPUT COMMAND [ARGUMENT...]\n");
        return 64;
    }
    const double begun = microseconds();
    double cpu = 0;
    long peak = 0;
    for (int i = 0; i < count; i++)
        copies[i] = process_start(argv + 4, argv[2], argv[3]);
    signal(SIGALRM, kill_all);
    alarm(PATIENCE);
    for (int i = 0; i < count; i++) {
        struct rusage usage;
        int status;
        if (wait4(-1, &status, 0, &usage) < 0 || !WIFEXITED(status) || WEXITSTATUS(status) > (count > 1)) {
            fprintf(stderr, "stopwatch: %s failed\n", argv[4]);
            return 1;
        }
        cpu += seconds(usage.ru_utime) + seconds(usage.ru_stime);
        peak = usage.ru_maxrss > peak ? usage.ru_maxrss : peak;
    }
    printf("%.6f %.6f %ld\n", (microseconds() - begun) / 1e6, cpu, peak);
    return 0;
}
