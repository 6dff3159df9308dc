/* Starting a command. */
#include "worker/spawn.h"

#include <errno.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

static void take_descriptor(int fd, int as)
{
    if (fd >= 0)
        (void)dup2(fd, as);
}

/* The child of vfork, in its parent's memory: system calls and nothing else. */
static _Noreturn void become_command(const struct spawn *launch, pid_t parent, volatile int *ret_error)
{
    sigset_t none;
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
        _exit(1); /* we have lost our parent already: it would not be told of us */
    (void)setpgid(0, 0);
    take_descriptor(launch->input, STDIN_FILENO);
    take_descriptor(launch->output, STDOUT_FILENO);
    take_descriptor(launch->error, STDERR_FILENO);
    (void)signal(SIGPIPE, SIG_DFL);
    (void)signal(SIGXFSZ, SIG_DFL);
    (void)signal(SIGTTOU, SIG_IGN); /* with `stty tostop` its output would stop it, being no group of the foreground */
    sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
    (void)execvpe(launch->command[0], launch->command, launch->environment);
    *ret_error = errno;
    _exit(1);
}

/* vfork, since fork would copy our page tables for a child that throws them away at once. */
pid_t spawn_command(const struct spawn *launch)
{
    const pid_t parent = getpid();
    volatile int error = 0; /* shared with the child until it is the command */
    const pid_t pid = vfork();
    if (pid == 0)
        become_command(launch, parent, &error);
    if (pid < 0)
        return -errno;
    if (error == 0)
        return pid;
    (void)waitpid(pid, NULL, 0);
    return -error;
}
