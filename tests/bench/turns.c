/*
 * Commands, run in turn, so that whatever else the machine does hits all of them alike.
 *
 *     turns COUNT INPUT COMMAND-LINE…
 *
 * Each is split at blanks, run COUNT times with standard input from INPUT and its output
 * thrown away. Prints the medians in microseconds. A command that fails ends it with 1.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>

#include "measure.h"
#include "process.h"

#define COMMANDS 32
#define COUNT_MAX 10000

static double run(char *const words[], const char *input)
{
    int status;
    const double begun = microseconds();
    const pid_t pid = process_start(words, input, "/dev/null");
    if (waitpid(pid, &status, 0) < 0 || status != 0) {
        fprintf(stderr, "turns: %s failed\n", words[0]);
        exit(1);
    }
    return microseconds() - begun;
}

int main(int argc, char **argv)
{
    static double times[COMMANDS][COUNT_MAX];
    char *words[COMMANDS][PROCESS_WORDS];
    const int count = argc >= 4 ? atoi(argv[1]) : 0, commands = argc - 3;
    if (count < 1 || count > COUNT_MAX || commands > COMMANDS) {
        fprintf(stderr, "usage: turns COUNT INPUT COMMAND-LINE...\n");
        return 64;
    }
    for (int i = 0; i < commands; i++) {
        process_split(argv[3 + i], words[i]);
        if (!words[i][0])
            return 64;
    }
    for (int round = 0; round < count; round++)
        for (int i = 0; i < commands; i++)
            times[i][round] = run(words[i], argv[2]);
    for (int i = 0; i < commands; i++)
        printf("%.1f%c", percentile(times[i], count, 50), i < commands - 1 ? ' ' : '\n');
    return 0;
}
