/*
 * Commands, run in turn, so that whatever else the machine does hits all of them alike.
 *
 *     turns COUNT INPUT COMMAND-LINE…
 *
 * Each is split at blanks, run COUNT times with standard input from INPUT and its output
 * thrown away. Prints the medians in microseconds. A command that fails ends it with 1.
 */
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "measure.h"

#define WORDS 32
#define COMMANDS 32
#define COUNT_MAX 10000

extern char **environ;

static void split(char *line, char *words[WORDS])
{
    int count = 0;
    for (char *word = strtok(line, " "); word && count < WORDS - 1; word = strtok(NULL, " "))
        words[count++] = word;
    words[count] = NULL;
}

static double run(char *const words[], const char *input)
{
    pid_t pid;
    int status;
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 0, input, O_RDONLY, 0);
    posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
    const double begun = microseconds();
    if (posix_spawnp(&pid, words[0], &actions, NULL, words, environ) != 0 || waitpid(pid, &status, 0) < 0 ||
        status != 0) {
        fprintf(stderr, "turns: %s failed\n", words[0]);
        exit(1);
    }
    const double taken = microseconds() - begun;
    posix_spawn_file_actions_destroy(&actions);
    return taken;
}

int main(int argc, char **argv)
{
    static double times[COMMANDS][COUNT_MAX];
    char *words[COMMANDS][WORDS];
    const int count = argc >= 4 ? atoi(argv[1]) : 0, commands = argc - 3;
    if (count < 1 || count > COUNT_MAX || commands > COMMANDS) {
        fprintf(stderr, "usage: turns COUNT INPUT COMMAND-LINE...\n");
        return 64;
    }
    for (int i = 0; i < commands; i++) {
        split(argv[3 + i], words[i]);
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
