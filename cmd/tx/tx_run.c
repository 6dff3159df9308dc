/* Running a command inside a transaction. */
#include "tx/tx_run.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "cli/cli.h"
#include "tx/tx.h"

/* The deadline is moved when this part of the time has passed. */
#define EXTEND_PARTS 3

#define SIGNAL_STATUS 128 /* as shells say it, plus the signal */

static _Noreturn void become_command(char *const *command, const sigset_t *mask)
{
    (void)sigprocmask(SIG_SETMASK, mask, NULL);
    (void)execvp(command[0], command);
    const int error = errno;
    _exit(cli_fail(error == ENOENT ? STATUS_NO_COMMAND : STATUS_CANNOT_RUN, NULL, "cannot run %s: %s", command[0],
                   strerror(error)));
}

/* Wait for the command, and pass on signals that ask this process to end. SIGINT and SIGQUIT reach the command through
   the terminal. */
static int wait_for(pid_t pid, mq_tx *tx, int64_t timeout, const sigset_t *signals)
{
    const int64_t pause = timeout / EXTEND_PARTS;
    const struct timespec patience = {.tv_sec = (time_t)(pause / 1000000), .tv_nsec = (long)(pause % 1000000) * 1000};
    int ended, wait_status;
    while ((ended = waitpid(pid, &wait_status, WNOHANG)) == 0) {
        const int number = sigtimedwait(signals, NULL, &patience);
        if (number == SIGTERM || number == SIGHUP)
            (void)kill(pid, number);
        else if (number < 0 && errno == EAGAIN)
            (void)mq_tx_extend(tx, timeout); /* the commit reports an error */
    }
    if (ended < 0)
        return STATUS_FAILED;
    return WIFSIGNALED(wait_status) ? SIGNAL_STATUS + WTERMSIG(wait_status) : WEXITSTATUS(wait_status);
}

/* The spool's absolute path: the command may go elsewhere before it sends. */
static int set_variables(mq_tx *tx)
{
    char path[PATH_MAX], absolute[PATH_MAX];
    const int error = mq_spool_path(cli_spool, path, sizeof path);
    if (error)
        return error;
    if (!realpath(path, absolute) || setenv("MQ_SPOOL", absolute, 1) < 0 || setenv(TX_VARIABLE, mq_tx_id(tx), 1) < 0)
        return -errno;
    return 0;
}

static int run(char *const *command, mq_tx *tx, int64_t timeout)
{
    sigset_t signals, mask;
    sigemptyset(&signals);
    sigaddset(&signals, SIGCHLD);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGHUP);
    const int error = set_variables(tx);
    if (error)
        return cli_error(error, NULL, "cannot run the command");
    (void)sigprocmask(SIG_BLOCK, &signals, &mask);
    const pid_t pid = fork();
    if (pid == 0)
        become_command(command, &mask);
    if (pid < 0)
        return cli_error(-errno, NULL, "cannot run the command");
    (void)signal(SIGINT, SIG_IGN);
    (void)signal(SIGQUIT, SIG_IGN);
    return wait_for(pid, tx, timeout, &signals);
}

int tx_run(char *const *command, int64_t timeout, char *const *receipts, int receipt_count)
{
    mq_tx *tx;
    int status = tx_begin(timeout, &tx);
    if (status != STATUS_DONE)
        return status;
    status = run(command, tx, timeout);
    if (status == STATUS_DONE)
        status = tx_conclude(tx, receipts, receipt_count);
    if (status != STATUS_DONE)
        (void)mq_tx_abort(tx); /* what is not decided; if this fails, the deadline undoes it */
    mq_tx_free(tx);
    return status;
}
