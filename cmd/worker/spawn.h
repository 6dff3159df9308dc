/* Starting a command: cheaply, in a process group of its own, and such that it does not outlive us. */
#ifndef LAUNCH_H
#define LAUNCH_H

#include <sys/types.h>

struct spawn {
    char *const *command; /* looked for in $PATH; NULL at its end */
    char *const *environment;
    int input, output, error; /* what become its standard descriptors; -1: it keeps ours */
};

/*
 * Start it: its process id, which is its group's too, or a negative errno, where nothing runs. It begins with no
 * signal blocked and SIGPIPE and SIGXFSZ as usual, may print to a terminal with tostop, and the kernel kills it when we die.
 */
pid_t spawn_command(const struct spawn *launch);

#endif
