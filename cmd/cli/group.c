/* Groups of logs. */
#include "cli/group.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/spool.h"

static void log_of(const char *group, char ret_log[MQ_QUEUE_NAME_SIZE])
{
    snprintf(ret_log, MQ_QUEUE_NAME_SIZE, "%.*s", (int)strcspn(group, "/"), group);
}

int group_find_where(const char *name, const struct where *where, const char *option, uint64_t *ret_offset)
{
    char log_name[MQ_QUEUE_NAME_SIZE];
    mq_log *log;
    log_of(name, log_name);
    const int error = mq_log_open(cli_spool, log_name, &log);
    if (error == -ENOENT)
        return group_missing(name);
    if (error)
        return cli_log_error(error, log_name, "cannot open the log");
    const int status = where_find(where, log, option, ret_offset);
    mq_log_close(log);
    return status;
}

static int make(const char *name, uint64_t from)
{
    const int made = mq_group_create(cli_spool, name, from);
    if (made == -ERANGE)
        return cli_fail(STATUS_DATA, name, "the offset %" PRIu64 " was removed meanwhile", from);
    if (made == -ENOENT)
        return group_missing(name);
    if (made < 0)
        return cli_error(made, name, "cannot create the group");
    cli_note(name, made ? "made, from offset %" PRIu64 : "is there", from);
    return STATUS_DONE;
}

int group_create(const char *name, const struct where *from)
{
    uint64_t offset = 0;
    mq_queue *queue;
    if (mq_open(cli_spool, name, 0, &queue) == 0) { /* it may lack a directory */
        mq_close(queue);
        const int healed = mq_group_create(cli_spool, name, 0);
        return healed < 0 && healed != -ERANGE ? cli_error(healed, name, "cannot create the group") : STATUS_DONE;
    }
    const int status = group_find_where(name, from, "--from", &offset);
    return status == STATUS_DONE ? make(name, offset) : status;
}

int group_missing(const char *name)
{
    char log_name[MQ_QUEUE_NAME_SIZE], described[CLI_SPOOL_SIZE];
    mq_log *log;
    mq_queue *queue;
    log_of(name, log_name);
    const int status = cli_check_spool_path();
    if (status != STATUS_DONE)
        return status;
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

void group_tell_overtaken(const mq_queue *group)
{
    static uint64_t told;
    const uint64_t missed = mq_group_overtaken(group);
    if (missed > told && !cli_quiet)
        (void)cli_fail(STATUS_DONE, mq_queue_name(group),
                       "%" PRIu64 " messages were removed from the log before this group came to them", missed - told);
    told = missed;
}
