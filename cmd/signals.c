/* Signals that ask the program to end. */
#include "signals.h"

#include <errno.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

static const int endings[] = {SIGINT, SIGTERM, SIGHUP};

/* A signalfd also shows ignored signals, which nohup and shells do not want us to heed. */
static void collect(sigset_t *ret_set)
{
    struct sigaction action;
    sigemptyset(ret_set);
    for (size_t i = 0; i < sizeof endings / sizeof *endings; i++)
        if (sigaction(endings[i], NULL, &action) == 0 && action.sa_handler != SIG_IGN)
            sigaddset(ret_set, endings[i]);
}

int signals_open(void)
{
    sigset_t set;
    collect(&set);
    if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
        return -errno;
    const int fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    return fd < 0 ? -errno : fd;
}

void signals_obey(int fd)
{
    struct signalfd_siginfo came;
    sigset_t set;
    if (read(fd, &came, sizeof came) != sizeof came)
        return;
    kill(getpid(), (int)came.ssi_signo); /* waits for the unblocking, which it does not survive */
    sigemptyset(&set);
    sigaddset(&set, (int)came.ssi_signo);
    sigprocmask(SIG_UNBLOCK, &set, NULL);
}
