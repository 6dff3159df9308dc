/* Moving a group to another place in its log. */
#include "log/log_seek.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/group.h"
#include "cli/where.h"

/* The same for a move that is made, and one that is not. */
static void tell(const char *group, uint64_t from, uint64_t to)
{
    if (to < from)
        printf("%s: from %" PRIu64 " back to %" PRIu64 ": %" PRIu64 " messages come again\n", group, from, to, from - to);
    else
        printf("%s: from %" PRIu64 " on to %" PRIu64 ": %" PRIu64 " messages are passed over\n", group, from, to,
               to - from);
}

static int look(const char *group, uint64_t to)
{
    mq_queue *queue;
    struct mq_stats stats;
    const int status = cli_open(group, 0, &queue);
    if (status != STATUS_DONE)
        return status;
    const int error = mq_stat(queue, false, &stats);
    mq_close(queue);
    if (error)
        return cli_queue_error(error, group, "cannot look at the group");
    tell(group, stats.next, to);
    return STATUS_DONE;
}

static int move(const char *group, uint64_t to)
{
    uint64_t from = 0;
    const int error = mq_group_seek(cli_spool, group, to, &from);
    if (error == -ERANGE)
        return cli_fail(STATUS_DATA, group, "the offset %" PRIu64 " was removed meanwhile", to);
    if (error == -ENOENT)
        return cli_no_queue(group);
    if (error)
        return cli_queue_error(error, group, "cannot move the group");
    if (!cli_quiet)
        tell(group, from, to);
    return STATUS_DONE;
}

int log_seek(const char *group, const char *text, bool dry_run)
{
    struct where where;
    mq_queue *queue;
    uint64_t to = 0;
    if (!mq_group_name_is_valid(group))
        return cli_fail(STATUS_USAGE, NULL, "'%s': not the name of a group: LOG/GROUP", group);
    if (!where_parse(text, &where))
        return cli_fail(STATUS_USAGE, group,
                        "'%s' is none of beginning, end, an offset, -N, a time such as 2026-11-24T10:30:00Z or "
                        "@1795516200, and an age such as 2h",
                        text);
    int status = cli_open(group, 0, &queue); /* which tells what is missing */
    if (status != STATUS_DONE)
        return status;
    mq_close(queue);
    status = group_find_where(group, &where, "seek", &to);
    return status != STATUS_DONE ? status : dry_run ? look(group, to) : move(group, to);
}
