/* mq-queue create. */
#include "queue/create.h"

#include <errno.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/group.h"
#include "queue/settings.h"

#define PRIVATE 0600u

/* The order that the words ask for, or NULL. */
static const char *order_in(char **words, int count)
{
    static const char key[] = "order=";
    const char *order = NULL;
    for (int i = 0; i < count; i++)
        if (strncmp(words[i], key, strlen(key)) == 0)
            order = words[i] + strlen(key);
    return order && *order && strcmp(order, "none") != 0 ? order : NULL;
}

static int create_ordered(const struct sharing *sharing, const char *queue, const char *order)
{
    const int status = cli_check_name(queue);
    if (status != STATUS_DONE)
        return status;
    const int created = sharing->mode ? mq_create_ordered(cli_spool, queue, order, sharing->mode, sharing->group)
                                      : mq_create_ordered(cli_spool, queue, order, PRIVATE, MQ_OWN_GROUP);
    if (created >= 0)
        return STATUS_DONE;
    if (created == -ESTALE)
        return cli_fail(STATUS_CONFIG, queue, "order: it is fixed when a queue is made, and this one has another");
    if (created == -EINVAL)
        return cli_fail(STATUS_USAGE, queue, "an ordered queue is for users who may receive: no digit of --mode is 2");
    if (created == -EEXIST)
        return cli_fail(STATUS_CANNOT_CREATE, queue,
                        "cannot create the queue: it is there, with another mode or group");
    return cli_cannot_create(created, queue);
}

/* As the words and the options say. */
static int create(const struct sharing *sharing, char **words, int count)
{
    const char *order = order_in(words + 1, count - 1);
    if (order)
        return create_ordered(sharing, words[0], order);
    return sharing->mode ? sharing_create(sharing, words[0]) : STATUS_DONE;
}

/* A group of a log, from its beginning. */
static int create_group(const struct sharing *sharing, char **words, int count)
{
    if (sharing->mode)
        return cli_fail(STATUS_USAGE, words[0], "--mode: a group is its log's owner's");
    if (order_in(words + 1, count - 1))
        return cli_fail(STATUS_CONFIG, words[0],
                        "order: a group has none: its messages come in the order of the log, to any number of consumers");
    int status = settings_check(words[0], words + 1, count - 1);
    if (status == STATUS_DONE)
        status = group_create(words[0], &(struct where){.kind = WHERE_BEGINNING});
    return status == STATUS_DONE ? settings_set(words[0], words + 1, count - 1) : status;
}

int create_queue(const struct sharing *sharing, char **words, int count)
{
    mq_queue *queue;
    if (mq_group_name_is_valid(words[0]))
        return create_group(sharing, words, count);
    int status = settings_check(words[0], words + 1, count - 1);
    if (status == STATUS_DONE)
        status = create(sharing, words, count);
    if (status == STATUS_DONE)
        status = cli_open(words[0], MQ_CREATE, &queue);
    if (status != STATUS_DONE)
        return status;
    mq_close(queue);
    const int whole = mq_create(cli_spool, words[0]); /* a directory of an existing queue may be missing */
    if (whole < 0)
        return cli_error(whole, words[0], "cannot create the queue");
    cli_note(words[0], "is there");
    return settings_set(words[0], words + 1, count - 1);
}
