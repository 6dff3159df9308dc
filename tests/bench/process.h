/* What the measuring programs share to run others. */
#ifndef PROCESS_H
#define PROCESS_H

#include <fcntl.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PROCESS_WORDS 32

extern char **environ;

/* Split a command line at blanks, in place. */
static inline void process_split(char *line, char *words[PROCESS_WORDS])
{
    int count = 0;
    for (char *word = strtok(line, " "); word && count < PROCESS_WORDS - 1; word = strtok(NULL, " "))
        words[count++] = word;
    words[count] = NULL;
}

/* Start a program whose output is appended to a file; ends ours if there is no such program. */
static inline pid_t process_start(char *const words[], const char *input, const char *output)
{
    pid_t pid;
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 0, input, O_RDONLY, 0);
    posix_spawn_file_actions_addopen(&actions, 1, output, O_WRONLY | O_CREAT | O_APPEND, 0600);
    const int error = posix_spawnp(&pid, words[0], &actions, NULL, words, environ);
    posix_spawn_file_actions_destroy(&actions);
    if (error) {
        fprintf(stderr, "cannot run %s: %s\n", words[0], strerror(error));
        exit(1);
    }
    return pid;
}

static inline bool process_is_asleep(pid_t pid)
{
    char path[64], state = '?';
    snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    FILE *stat = fopen(path, "r");
    if (stat && fscanf(stat, "%*d (%*[^)]) %c", &state) != 1)
        state = '?';
    if (stat)
        fclose(stat);
    return state == 'S';
}

#endif
