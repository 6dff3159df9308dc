/* Signals that are read from a descriptor. */
#include "cli/signals.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "cli/cli.h"

static const int endings[] = {SIGINT, SIGTERM, SIGHUP};

/* A signalfd also shows ignored signals. Those stay out: nohup and shells ignore a signal for a reason. */
static void collect(sigset_t *ret_set)
{
    struct sigaction action;
    sigemptyset(ret_set);
    for (size_t i = 0; i < sizeof endings / sizeof *endings; i++)
        if (sigaction(endings[i], NULL, &action) == 0 && action.sa_handler != SIG_IGN)
            sigaddset(ret_set, endings[i]);
}

static int open_set(const sigset_t *set)
{
    if (sigprocmask(SIG_BLOCK, set, NULL) < 0)
        return -errno;
    const int fd = signalfd(-1, set, SFD_CLOEXEC | SFD_NONBLOCK);
    return fd < 0 ? -errno : fd;
}

int signals_open(void)
{
    sigset_t set;
    collect(&set);
    cli_signals = open_set(&set);
    return cli_signals;
}

void signals_interrupt(void (*handler)(int))
{
    sigset_t set;
    const struct sigaction action = {.sa_handler = handler ? handler : SIG_DFL};
    collect(&set);
    if (!handler)
        (void)sigprocmask(SIG_BLOCK, &set, NULL);
    for (size_t i = 0; i < sizeof endings / sizeof *endings; i++)
        if (sigismember(&set, endings[i]) == 1)
            (void)sigaction(endings[i], &action, NULL);
    if (handler)
        (void)sigprocmask(SIG_UNBLOCK, &set, NULL);
}

bool signals_came(int fd)
{
    return poll(&(struct pollfd){.fd = fd, .events = POLLIN}, 1, 0) > 0;
}

int signals_open_children(void)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGCHLD);
    /* If the parent had SIGCHLD ignored, it would stay ignored, and children would leave no status. */
    if (signal(SIGCHLD, SIG_DFL) == SIG_ERR)
        return -errno;
    return open_set(&set);
}

int signals_take(int fd)
{
    struct signalfd_siginfo came;
    const int number = read(fd, &came, sizeof came) == sizeof came ? (int)came.ssi_signo : 0;
    cli_is_ending = cli_is_ending || (number && fd == cli_signals);
    return number;
}

void signals_die(int number)
{
    sigset_t set;
    if (cli_before_say)
        cli_before_say();
    kill(getpid(), number); /* stays pending until it is unblocked, and then ends the process */
    sigemptyset(&set);
    sigaddset(&set, number);
    sigprocmask(SIG_UNBLOCK, &set, NULL);
}

void signals_obey(int fd)
{
    const int number = signals_take(fd);
    if (number)
        signals_die(number);
}
