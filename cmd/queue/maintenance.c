/* Sweeping and checking queues. */
#include "queue/maintenance.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/queues.h"
#include "message/json_write.h"
#include "queue/unfinished.h"
#include "text/text.h"

/* ---- sweep ----------------------------------------------------------------------- */

static int sweep(mq_queue *queue, void *context)
{
    struct mq_swept swept;
    const char *name = mq_queue_name(queue);
    const int error = mq_sweep(queue, &swept);
    (void)context;
    if (error)
        return cli_queue_error(error, name, "cannot sweep");
    cli_note(name,
             "%" PRIu64 " due, %" PRIu64 " lapsed, %" PRIu64 " expired, %" PRIu64 " sent on, %" PRIu64 " leftovers",
             swept.due, swept.lease_expired, swept.expired, swept.sent_on, swept.leftovers);
    if (cli_json)
        json_print(json_pack("{s:s, s:I, s:I, s:I, s:I, s:I}", "queue", name, "due", (json_int_t)swept.due, "lapsed",
                             (json_int_t)swept.lease_expired, "expired", (json_int_t)swept.expired, "sent_on",
                             (json_int_t)swept.sent_on, "leftovers", (json_int_t)swept.leftovers));
    if (swept.kept_error)
        return cli_fail(cli_status(swept.kept_error), name, "%" PRIu64 " dead letters cannot go on and stay: %s",
                        swept.kept, swept.kept_error == -ENXIO ? "no binding takes it" : cli_reason(swept.kept_error));
    return STATUS_DONE;
}

static bool is_missing(void)
{
    char path[PATH_MAX];
    return mq_spool_path(cli_spool, path, sizeof path) == 0 && access(path, F_OK) < 0 && errno == ENOENT;
}

int maintenance_sweep(char **names, int count)
{
    /* A user without queues has no spool yet; sweeping it is no error. */
    if (count == 0 && !cli_spool_is_named() && is_missing())
        return STATUS_DONE;
    const int status = queues_each(names, count, sweep, NULL);
    if (count > 0)
        return status;
    const int removed = mq_sweep_spool(cli_spool);
    if (removed < 0)
        return cli_worse(status, cli_error(removed, NULL, "cannot sweep the spool"));
    cli_note(NULL, "%d unfinished or half deleted queues removed or put back", removed);
    return status;
}

/* ---- check ----------------------------------------------------------------------- */

struct report {
    const char *queue;
    bool repair;
};

/* A file's name may hold any bytes. It is escaped for the terminal and for JSON, which holds only UTF-8. */
static void print_finding(const char *path, const char *problem, void *context)
{
    const struct report *report = context;
    char *escaped = cli_must(malloc(TEXT_ESCAPED(strlen(path))));
    text_escape(path, strlen(path), "", escaped);
    if (cli_json)
        json_print(json_pack("{s:s, s:s, s:s, s:b}", "queue", report->queue, "path", escaped, "problem", problem,
                             "repaired", report->repair));
    else
        printf("%s/%s: %s\n", report->queue, escaped, problem);
    free(escaped);
}

static int tell_found(const struct report *report, int found)
{
    cli_note(report->queue, report->repair ? "%d moved aside" : "%d found that do not belong", found);
    return found > 0 && !report->repair ? STATUS_DATA : STATUS_DONE;
}

static int check(mq_queue *queue, void *context)
{
    struct report report = {.queue = mq_queue_name(queue), .repair = *(const bool *)context};
    const int found = mq_check(queue, report.repair, print_finding, &report);
    return found < 0 ? cli_queue_error(found, report.queue, "cannot check") : tell_found(&report, found);
}

static int check_log(mq_log *log, bool repair)
{
    struct report report = {.queue = mq_log_name(log), .repair = repair};
    const int found = mq_log_check(log, repair, print_finding, &report);
    const int status = found < 0 ? cli_log_error(found, report.queue, "cannot check") : tell_found(&report, found);
    mq_log_close(log);
    return status;
}

struct list_checks {
    bool repair;
    int status;
};

static int check_listed_log(const char *name, void *context)
{
    struct list_checks *checks = context;
    mq_log *log;
    const int error = mq_log_open(cli_spool, name, &log);
    if (error != -ENOENT && error != -EACCES) /* it was deleted meanwhile, or is another user's */
        checks->status = cli_worse(checks->status, error ? cli_log_error(error, name, "cannot open the log")
                                                         : check_log(log, checks->repair));
    return 0;
}

/* -ENOENT, -EINVAL: there is no such topic; nothing is reported. It is not opened, which would make what it lacks. */
static int check_topic(const char *name, bool repair, int *ret_status)
{
    struct report report = {.queue = name, .repair = repair};
    const int found = mq_topic_check(cli_spool, name, repair, print_finding, &report);
    if (found >= 0)
        *ret_status = cli_worse(*ret_status, tell_found(&report, found));
    return found < 0 ? found : 0;
}

static int check_listed_topic(const char *name, void *context)
{
    struct list_checks *checks = context;
    const int error = check_topic(name, checks->repair, &checks->status);
    if (error && error != -ENOENT && error != -EACCES)
        checks->status = cli_worse(checks->status, cli_topic_error(error, name, "cannot check"));
    return 0;
}

/* The logs come before their groups, which depend on them. */
static int check_all(bool repair)
{
    struct list_checks checks = {repair, STATUS_DONE};
    int error = mq_log_list(cli_spool, check_listed_log, &checks);
    if (error)
        return cli_error(error, NULL, "cannot list the logs");
    error = mq_topic_list(cli_spool, check_listed_topic, &checks);
    if (error)
        return cli_error(error, NULL, "cannot list the topics");
    const int status = queues_each(NULL, 0, check, &repair);
    return cli_worse(cli_worse(checks.status, status), unfinished_check(repair));
}

static int check_named(char *name, bool repair)
{
    mq_log *log;
    int status = STATUS_DONE;
    if (!strchr(name, '/') && mq_log_open(cli_spool, name, &log) == 0)
        return check_log(log, repair);
    const int error = check_topic(name, repair, &status);
    if (error == -ENOENT || error == -EINVAL)
        return queues_each(&name, 1, check, &repair);
    return error ? cli_topic_error(error, name, "cannot check") : status;
}

int maintenance_check(char **names, int count, bool repair)
{
    int status = STATUS_DONE;
    cli_survive_cut_pages();
    for (int i = 0; i < count; i++)
        status = cli_worse(status, check_named(names[i], repair));
    return count > 0 ? status : check_all(repair);
}
