/* mq-queue create. */
#include "queue/create.h"

#include <errno.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/group.h"
#include "queue/settings.h"

#define PRIVATE 0600u

/* The value that the words give a key, or NULL. */
static const char *value_in(char **words, int count, const char *key)
{
    const size_t length = strlen(key);
    const char *value = NULL;
    for (int i = 0; i < count; i++)
        if (strncmp(words[i], key, length) == 0 && words[i][length] == '=')
            value = words[i] + length + 1;
    return value && *value ? value : NULL;
}

/* What the words say of the order, which is given when a queue is made. */
static struct group_order order_in(char **words, int count)
{
    const char *order = value_in(words, count, "order");
    return (struct group_order){order && strcmp(order, "none") != 0 ? order : NULL, value_in(words, count, "order-by")};
}

static int check_order(const char *queue, const struct group_order *order)
{
    return order->by && (!order->order || strcmp(order->order, "group") != 0)
               ? cli_fail(STATUS_CONFIG, queue, "order-by: it tells the groups of order=group")
               : STATUS_DONE;
}

static int create_ordered(const struct sharing *sharing, const char *queue, const struct group_order *order)
{
    const int status = cli_check_name(queue);
    if (status != STATUS_DONE)
        return status;
    const int created = sharing->mode
                            ? mq_create_ordered_by(cli_spool, queue, order->order, order->by, sharing->mode,
                                                   sharing->group)
                            : mq_create_ordered_by(cli_spool, queue, order->order, order->by, PRIVATE, MQ_OWN_GROUP);
    if (created >= 0)
        return STATUS_DONE;
    if (created == -ESTALE)
        return group_other_order(queue);
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
    const struct group_order order = order_in(words + 1, count - 1);
    if (order.order)
        return create_ordered(sharing, words[0], &order);
    return sharing->mode ? sharing_create(sharing, words[0]) : STATUS_DONE;
}

/* A group of a log. */
static int create_group(const struct sharing *sharing, const struct where *from, char **words, int count)
{
    const struct group_order order = order_in(words + 1, count - 1);
    if (sharing->mode)
        return cli_fail(STATUS_USAGE, words[0], "--mode: a group is its log's owner's");
    int status = settings_check(words[0], words + 1, count - 1);
    if (status == STATUS_DONE)
        status = check_order(words[0], &order);
    if (status == STATUS_DONE)
        status = group_create_ordered(words[0], from ? from : &(struct where){.kind = WHERE_BEGINNING}, &order);
    return status == STATUS_DONE ? settings_set(words[0], words + 1, count - 1) : status;
}

int create_queue(const struct sharing *sharing, const struct where *from, char **words, int count)
{
    mq_queue *queue;
    if (mq_group_name_is_valid(words[0]))
        return create_group(sharing, from, words, count);
    if (from)
        return cli_fail(STATUS_USAGE, words[0], "--from is for a group of a log, LOG/GROUP");
    const struct group_order order = order_in(words + 1, count - 1);
    int status = settings_check(words[0], words + 1, count - 1);
    if (status == STATUS_DONE)
        status = check_order(words[0], &order);
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
