/* mq-queue delete. */
#include "queue/delete.h"

#include <errno.h>

#include "cli/cli.h"
#include "queue/purge.h"

static int not_empty(const char *queue)
{
    return cli_fail(STATUS_TRY_LATER, queue, "not empty: use --force");
}

/* Print the ids of the messages that would be removed. The exit status is that of a real deletion. */
static int print_messages(const char *name, bool force)
{
    mq_queue *queue;
    uint64_t count = 0;
    struct mq_stats stats;
    int status = cli_open(name, 0, &queue);
    if (status != STATUS_DONE)
        return status;
    status = purge_list(queue, &count);
    const int error = count == 0 && !force ? mq_stat(queue, true, &stats) : 0; /* transactions may hold some */
    mq_close(queue);
    if (error)
        return cli_queue_error(error, name, "cannot count");
    count += count == 0 && !force ? stats.count[MQ_INFLIGHT] + stats.count[MQ_DEAD] : 0;
    return status == STATUS_DONE && count > 0 && !force ? not_empty(name) : status;
}

int delete_queue(const char *name, bool dry_run, bool force)
{
    const int status_of_name = cli_check_queue_name(name);
    if (status_of_name != STATUS_DONE)
        return status_of_name;
    if (dry_run)
        return print_messages(name, force);
    const int error = mq_delete(cli_spool, name, force);
    if (error == -ENOTEMPTY)
        return not_empty(name);
    if (error == -ENOENT)
        return cli_no_queue(name);
    return error ? cli_error(error, name, "cannot delete") : STATUS_DONE;
}
