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

/* Runs in the child of vfork, in the parent's memory: only system calls are safe here. */
static _Noreturn void become_command(const struct spawn *launch, pid_t parent, volatile int *ret_error)
{
    sigset_t none;
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
        _exit(1); /* the parent has died already, so the signal of its death will not come */
    (void)setpgid(0, 0);
    take_descriptor(launch->input, STDIN_FILENO);
    take_descriptor(launch->output, STDOUT_FILENO);
    take_descriptor(launch->error, STDERR_FILENO);
    (void)signal(SIGPIPE, SIG_DFL);
    (void)signal(SIGXFSZ, SIG_DFL);
    (void)signal(SIGTTOU,
                 SIG_IGN); /* its group is not in the foreground: with `stty tostop` its output would stop it */
    sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
    (void)execvpe(launch->command[0], launch->command, launch->environment);
    *ret_error = errno;
    _exit(1);
}

/* vfork, since fork would copy the page tables for a child that discards them at once. */
pid_t spawn_command(const struct spawn *launch)
{
    const pid_t parent = getpid();
    volatile int error = 0; /* shared with the child until execvpe */
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
