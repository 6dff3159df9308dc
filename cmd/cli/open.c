/* Opening queues. */
#include "cli/open.h"

#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "cli/report.h"
#include "cli/spool.h"

const char *cli_advice;

/* ---- errors ---------------------------------------------------------------------- */

/* Report that the spool has nothing of this name that is, for example, a topic. */
static int no_such(const char *kind, const char *name)
{
    char described[CLI_SPOOL_SIZE];
    const int status = cli_check_spool_path();
    if (status != STATUS_DONE)
        return status;
    cli_describe_spool(described);
    return cli_fail(STATUS_NO_QUEUE, name, "no such %s in %s%s%s", kind, described, cli_advice ? ": " : "",
                    cli_advice ? cli_advice : "");
}

int cli_queue_error(int error, const char *queue, const char *what)
{
    char problem[256];
    if (error == -EBADMSG && mq_config_explain(cli_spool, queue, problem, sizeof problem) == 1)
        return cli_fail(STATUS_CONFIG, queue, "bad configuration: %s", problem);
    if (error == -ENOENT)
        return cli_fail(STATUS_NO_QUEUE, queue, "%s: the queue is gone", what);
    if (error == -EUCLEAN && mq_group_name_is_valid(queue))
        return cli_fail(STATUS_DATA, queue,
                        "%s: it has lost its place in the log, or has two: mq-queue check --repair mends that", what);
    return cli_error(error, queue, what);
}

int cli_topic_error(int error, const char *topic, const char *what)
{
    char problem[256];
    if (error == -EBADMSG && mq_topic_explain(cli_spool, topic, problem, sizeof problem) == 1)
        return cli_fail(STATUS_CONFIG, topic, "bad bindings: %s", problem);
    if (error == -ENOENT)
        return no_such("topic", topic);
    return cli_error(error, topic, what);
}

int cli_log_error(int error, const char *log, const char *what)
{
    char problem[256];
    if (error == -EBADMSG && mq_log_config_explain(cli_spool, log, problem, sizeof problem) == 1)
        return cli_fail(STATUS_CONFIG, log, "bad configuration: %s", problem);
    if (error == -EUCLEAN)
        return cli_fail(STATUS_DATA, log, "%s: the log is damaged: it lacks a part, or something else has its name",
                        what);
    if (error == -ENOENT)
        return cli_fail(STATUS_NO_QUEUE, log, "%s: the log is gone", what);
    return cli_error(error, log, what);
}

/* There is no group of this name: tell what is missing. */
static int no_group(const char *name)
{
    char log_name[MQ_QUEUE_NAME_SIZE], described[CLI_SPOOL_SIZE];
    mq_log *log;
    mq_queue *queue;
    snprintf(log_name, sizeof log_name, "%.*s", (int)strcspn(name, "/"), name);
    if (mq_log_open(cli_spool, log_name, &log) == 0) {
        mq_log_close(log);
        return cli_fail(STATUS_NO_QUEUE, name, "no such group of the log%s%s", cli_advice ? ": " : "",
                        cli_advice ? cli_advice : "");
    }
    if (mq_open(cli_spool, log_name, 0, &queue) == 0) {
        mq_close(queue);
        return cli_fail(STATUS_NO_QUEUE, name, "%s is a queue: only logs have groups", log_name);
    }
    cli_describe_spool(described);
    return cli_fail(STATUS_NO_QUEUE, name, "no log %s in %s", log_name, described);
}

int cli_no_queue(const char *name)
{
    const int status = cli_check_spool_path();
    if (status != STATUS_DONE)
        return status;
    return mq_group_name_is_valid(name) ? no_group(name) : no_such("queue", name);
}

int cli_no_log(const char *name)
{
    return no_such("log", name);
}

/* ---- pages ----------------------------------------------------------------------- */

/* From the linker: where this program lies in memory. */
extern const char __executable_start[], _end[];

/* Whether the signal came because a mapped file was truncated, and that file is not the program's own. */
static bool is_of_cut_file(const siginfo_t *info)
{
    const uintptr_t at = (uintptr_t)info->si_addr;
    return info->si_code == BUS_ADRERR && (at < (uintptr_t)__executable_start || at >= (uintptr_t)_end);
}

/*
 * A queue's shared page is a mapped file. If another process truncates the file, the next access raises SIGBUS. Then
 * map an empty page in its place: the page holds only hints, and the library notices that it is not the file any more
 * and makes a new one. Any other SIGBUS, such as one that a process sends, has its usual effect.
 */
static void replace_page(int signal, siginfo_t *info, void *context)
{
    const uintptr_t size = (uintptr_t)sysconf(_SC_PAGESIZE), at = (uintptr_t)info->si_addr;
    const int error = errno;
    (void)context;
    if (!is_of_cut_file(info) || mmap((void *)(at - at % size), size, PROT_READ | PROT_WRITE,
                                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == MAP_FAILED) {
        (void)sigaction(signal, &(struct sigaction){.sa_handler = SIG_DFL}, NULL);
        (void)raise(signal); /* delivered on return */
    }
    errno = error;
}

void cli_survive_cut_pages(void)
{
    (void)sigaction(SIGBUS, &(struct sigaction){.sa_sigaction = replace_page, .sa_flags = SA_SIGINFO}, NULL);
}

/* ---- opening --------------------------------------------------------------------- */

int cli_check_queue_name(const char *name)
{
    if (!strchr(name, '/') || mq_group_name_is_valid(name))
        return mq_group_name_is_valid(name) ? STATUS_DONE : cli_check_name(name);
    return cli_fail(
        STATUS_USAGE, NULL,
        "'%s': not the name of a group, LOG/GROUP: each part takes 1 to 128 of A-Z a-z 0-9 _ . - and begins "
        "with no . or -",
        name);
}

int cli_check_name(const char *name)
{
    if (mq_queue_name_is_valid(name))
        return STATUS_DONE;
    return cli_fail(STATUS_USAGE, NULL,
                    "'%s': not a queue name: it takes 1 to 128 of A-Z a-z 0-9 _ . - and begins with no . or -", name);
}

int cli_cannot_create(int error, const char *queue)
{
    if (cli_status(error) == STATUS_NO_QUEUE && !cli_spool_is_there())
        return cli_cannot_make_spool(error);
    return cli_queue_error(error, queue, "cannot open or create the queue");
}

/* There is no such queue. If there is a topic of that name, open it; if only a queue will do, report that. -1: there is
   none. */
static int open_topic(const char *name, unsigned flags, mq_topic **ret_topic)
{
    mq_topic *topic;
    const int error = mq_topic_open(cli_spool, name, &topic);
    if (error == -ENOENT || error == -ENOTDIR) /* the second: the spool is no directory, which the caller tells */
        return -1;
    if (error)
        return cli_topic_error(error, name, "cannot open the topic");
    if (ret_topic) {
        *ret_topic = topic;
        return STATUS_DONE;
    }
    mq_topic_close(topic);
    return cli_fail(flags & MQ_CREATE ? STATUS_CANNOT_CREATE : STATUS_NO_QUEUE, name, "it is a topic, not a queue");
}

/* The same for a log. */
static int open_log(const char *name, unsigned flags, mq_log **ret_log)
{
    mq_log *log;
    const int error = mq_log_open(cli_spool, name, &log);
    if (error == -ENOENT || error == -ENOTDIR)
        return -1;
    if (error)
        return cli_log_error(error, name, "cannot open the log");
    if (ret_log) {
        *ret_log = log;
        return STATUS_DONE;
    }
    mq_log_close(log);
    return cli_fail(flags & MQ_CREATE ? STATUS_CANNOT_CREATE : STATUS_NO_QUEUE, name,
                    "it is a log, not a queue: mq-log reads and lists it");
}

int cli_open_log(const char *name, mq_log **ret_log)
{
    const int status = cli_check_name(name), opened = status == STATUS_DONE ? open_log(name, 0, ret_log) : status;
    return opened < 0 ? cli_no_log(name) : opened;
}

int cli_open(const char *name, unsigned flags, mq_queue **ret_queue)
{
    return cli_open_any(name, flags, ret_queue, NULL, NULL);
}

int cli_open_either(const char *name, unsigned flags, mq_queue **ret_queue, mq_topic **ret_topic)
{
    return cli_open_any(name, flags, ret_queue, ret_topic, NULL);
}

int cli_open_any(const char *name, unsigned flags, mq_queue **ret_queue, mq_topic **ret_topic, mq_log **ret_log)
{
    const int status_of_name = cli_check_queue_name(name);
    if (status_of_name != STATUS_DONE)
        return status_of_name;
    cli_survive_cut_pages();
    const int error = mq_open(cli_spool, name, flags, ret_queue);
    if (!error && mq_queue_is_alone(*ret_queue) && !cli_quiet)
        (void)cli_fail(STATUS_DONE, name,
                       "a directory lies in the place of this host's page: figures, order and "
                       "wake-ups suffer until mq-queue check --repair has moved it");
    if (!error)
        return STATUS_DONE;
    if (error == -ENOENT && mq_group_name_is_valid(name))
        return cli_no_queue(name);
    int other = error == -ENOTDIR || error == -ENOENT ? open_topic(name, flags, ret_topic) : -1;
    if (other < 0 && (error == -ENOTDIR || error == -ENOENT))
        other = open_log(name, flags, ret_log);
    if (other >= 0)
        return other;
    if (flags & MQ_CREATE)
        return cli_cannot_create(error, name);
    return error == -ENOENT ? cli_no_queue(name) : cli_queue_error(error, name, "cannot open the queue");
}

bool cli_is_ordered(mq_queue *queue)
{
    char order[16];
    return mq_config_get(queue, "order", order, sizeof order) == 0 && strcmp(order, "none") != 0;
}

bool cli_say_paused(mq_queue *queue)
{
    char paused[16];
    if (mq_config_get(queue, "paused", paused, sizeof paused) != 0 ||
        (strcmp(paused, "receive") != 0 && strcmp(paused, "all") != 0))
        return false;
    if (!cli_quiet)
        cli_fail(STATUS_DONE, mq_queue_name(queue), "paused for receivers: mq-queue resume ends that");
    return true;
}
