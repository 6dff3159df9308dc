/* Groups of logs. */
#include "cli/group.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/grow.h"
#include "cli/cli.h"

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
        return cli_no_queue(name);
    if (error)
        return cli_log_error(error, log_name, "cannot open the log");
    const int status = where_find(where, log, option, ret_offset);
    mq_log_close(log);
    return status;
}

int group_other_order(const char *queue)
{
    return cli_fail(STATUS_CONFIG, queue, "order: it is fixed when a queue is made, and this one has another");
}

static int make_at(const char *name, uint64_t from, const struct group_order *order)
{
    return mq_group_create_ordered(cli_spool, name, from, order->order, order->by);
}

static int make(const char *name, uint64_t from, const struct group_order *order)
{
    const int made = make_at(name, from, order);
    if (made == -ERANGE)
        return cli_fail(STATUS_DATA, name, "the offset %" PRIu64 " was removed meanwhile", from);
    if (made == -ENOENT)
        return cli_no_queue(name);
    if (made == -ESTALE)
        return group_other_order(name);
    if (made < 0)
        return cli_error(made, name, "cannot create the group");
    cli_note(name, made ? "made, from offset %" PRIu64 : "is there", from);
    return STATUS_DONE;
}

int group_create_ordered(const char *name, const struct where *from, const struct group_order *order)
{
    uint64_t offset = 0;
    mq_queue *queue;
    if (mq_open(cli_spool, name, 0, &queue) == 0) { /* it may lack a directory */
        mq_close(queue);
        const int healed = make_at(name, 0, order);
        if (healed == -ESTALE)
            return group_other_order(name);
        return healed < 0 && healed != -ERANGE ? cli_error(healed, name, "cannot create the group") : STATUS_DONE;
    }
    const int status = group_find_where(name, from, "--from", &offset);
    return status == STATUS_DONE ? make(name, offset, order) : status;
}

int group_create(const char *name, const struct where *from)
{
    return group_create_ordered(name, from, &(struct group_order){0});
}

void group_tell_overtaken(const mq_queue *group)
{
    static struct {
        const mq_queue *group;
        uint64_t missed;
    } * told;
    static size_t count, room;
    const uint64_t missed = mq_group_overtaken(group);
    size_t i = 0;
    if (missed == 0)
        return;
    while (i < count && told[i].group != group)
        i++;
    if (i == count) {
        if (!GROW(told, count + 1, room))
            cli_must(NULL);
        told[count].group = group;
        told[count++].missed = 0;
    }
    if (missed > told[i].missed && !cli_quiet)
        (void)cli_fail(STATUS_DONE, mq_queue_name(group),
                       "%" PRIu64 " messages were removed from the log before this group came to them",
                       missed - told[i].missed);
    told[i].missed = missed;
}
