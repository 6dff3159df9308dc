/* Starting a command in a process group of its own, without copying page tables. The command ends when this process
   does. */
#ifndef SPAWN_H
#define SPAWN_H

#include <sys/types.h>

struct spawn {
    char *const *command; /* looked up in $PATH; ends with NULL */
    char *const *environment;
    int input, output, error; /* become its standard descriptors; -1: it inherits that of this process */
};

/*
 * Start the command. Returns its process id, which is also that of its group, or a negative errno if nothing was
 * started. The command begins with no signal blocked, with the default SIGPIPE and SIGXFSZ, and with SIGTTOU ignored,
 * so that it may print to a terminal with tostop. The kernel kills it when this process dies.
 */
pid_t spawn_command(const struct spawn *launch);

#endif
