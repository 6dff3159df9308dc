/* Snapshots of the figures of queues. */
#include "stat/snapshot.h"

#include "base/clock.h"
#include "base/grow.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/queues.h"
#include "text/moment.h"

struct look {
    struct snapshot_list *list;
    bool exact;
};

struct snapshot *snapshots_add(struct snapshot_list *list)
{
    if (!GROW(list->items, list->count + 1, list->room))
        cli_must(NULL);
    return &list->items[list->count++];
}

static int take(mq_queue *queue, bool exact, struct snapshot_list *list)
{
    struct mq_stats stats;
    const int error = mq_stat(queue, exact, &stats);
    if (error)
        return error;
    struct snapshot *snapshot = snapshots_add(list);
    *snapshot = (struct snapshot){
        .taken = clock_now(),
        .stats = stats,
        .in = stats.sent_rate[MQ_1_MINUTE],
        .out = stats.acked_rate[MQ_1_MINUTE],
        .failed = stats.failed_rate[MQ_1_MINUTE],
    };
    snprintf(snapshot->queue, sizeof snapshot->queue, "%s", mq_queue_name(queue));
    return 0;
}

static int take_or_tell(mq_queue *queue, void *context)
{
    const struct look *look = context;
    const int error = take(queue, look->exact, look->list);
    return error ? cli_queue_error(error, mq_queue_name(queue), "cannot count") : STATUS_DONE;
}

/* ---- topics and transactions --------------------------------------------------------- */

static int take_topic(const char *name, struct snapshot_list lists[SNAPSHOT_KINDS])
{
    struct mq_topic_stats stats;
    const int error = mq_topic_stat(cli_spool, name, &stats);
    if (error)
        return error;
    struct snapshot *snapshot = snapshots_add(&lists[SNAPSHOT_TOPIC]);
    *snapshot = (struct snapshot){.kind = SNAPSHOT_TOPIC, .taken = clock_now(), .topic = stats};
    snprintf(snapshot->queue, sizeof snapshot->queue, "%s", name);
    return 0;
}

static int take_topic_or_tell(const char *name, void *context)
{
    const struct look *look = context;
    const int error = take_topic(name, look->list);
    return error && error != -ENOENT /* it was deleted after it was listed */
               ? cli_topic_error(error, name, "cannot read the figures")
               : STATUS_DONE;
}

struct topics_look {
    struct look *look;
    int status;
};

static int take_listed_topic(const char *name, void *context)
{
    struct topics_look *topics = context;
    topics->status = cli_worse(topics->status, take_topic_or_tell(name, topics->look));
    return 0;
}

static int take_topics(struct look *look)
{
    struct topics_look topics = {look, STATUS_DONE};
    const int error = mq_topic_list(cli_spool, take_listed_topic, &topics);
    return error ? cli_worse(topics.status, cli_error(error, NULL, "cannot list the topics")) : topics.status;
}

/* A process that comes by finishes a decided transaction within about a second. */
static int count_transaction(const struct mq_tx_entry *entry, void *context)
{
    struct snapshot *snapshot = context;
    const bool is_open = entry->state == MQ_TX_OPEN && entry->deadline > snapshot->taken;
    snapshot->open += is_open;
    snapshot->unfinished += !is_open;
    return 0;
}

static int take_transactions(struct snapshot_list *list)
{
    struct snapshot snapshot = {.kind = SNAPSHOT_SPOOL, .queue = "spool", .taken = clock_now()};
    const int error = mq_tx_list(cli_spool, count_transaction, &snapshot);
    if (error)
        return cli_error(error, NULL, "cannot list the transactions");
    *snapshots_add(list) = snapshot;
    return STATUS_DONE;
}

int snapshots_gather(char *const *names, int count, bool exact, struct snapshot_list lists[SNAPSHOT_KINDS])
{
    struct look look = {lists, exact};
    for (int kind = 0; kind < SNAPSHOT_KINDS; kind++)
        lists[kind].count = 0;
    int status = queues_each_or_topics(names, count, take_or_tell, take_topic_or_tell, &look);
    if (count > 0)
        return status;
    status = cli_worse(status, take_topics(&look));
    return cli_worse(status, take_transactions(&lists[SNAPSHOT_SPOOL]));
}

struct quiet_look {
    struct snapshot_list *lists;
    size_t unseen;
};

static int take_topic_quietly(const char *name, void *context)
{
    struct quiet_look *look = context;
    look->unseen += take_topic(name, look->lists) != 0;
    return 0;
}

static int take_queue_quietly(const char *name, void *context)
{
    struct quiet_look *look = context;
    mq_queue *queue;
    int error = mq_open(cli_spool, name, 0, &queue);
    if (error == -ENOENT || error == -ENOTDIR)
        return take_topic_quietly(name, context);
    if (!error) {
        error = take(queue, false, &look->lists[SNAPSHOT_QUEUE]);
        mq_close(queue);
    }
    look->unseen += error != 0;
    return 0;
}

size_t snapshots_look(char *const *names, int count, struct snapshot_list lists[SNAPSHOT_KINDS])
{
    struct quiet_look look = {.lists = lists};
    for (int kind = 0; kind < SNAPSHOT_KINDS; kind++)
        lists[kind].count = 0;
    cli_survive_cut_pages();
    for (int i = 0; i < count; i++)
        (void)take_queue_quietly(names[i], &look);
    if (count == 0 && mq_list(cli_spool, take_queue_quietly, &look) < 0)
        look.unseen++;
    if (count == 0 && mq_topic_list(cli_spool, take_topic_quietly, &look) < 0)
        look.unseen++;
    return look.unseen;
}

void snapshots_release(struct snapshot_list *list)
{
    free(list->items);
    *list = (struct snapshot_list){0};
}

void snapshots_append(struct snapshot_list *list, const struct snapshot_list *others)
{
    for (size_t i = 0; i < others->count; i++)
        *snapshots_add(list) = others->items[i];
}

const struct snapshot *snapshots_find(const struct snapshot_list *list, const char *queue)
{
    for (size_t i = 0; i < list->count; i++)
        if (strcmp(list->items[i].queue, queue) == 0)
            return &list->items[i];
    return NULL;
}

/* A counter that fell was reset: the host restarted, or the queue was made again. */
static double rate(uint64_t now, uint64_t before, int64_t elapsed)
{
    return (double)(now >= before ? now - before : now) * 1e6 / (double)elapsed;
}

void snapshots_compare(struct snapshot_list *list, const struct snapshot_list *earlier)
{
    for (size_t i = 0; i < list->count; i++) {
        struct snapshot *now = &list->items[i];
        const struct snapshot *before = snapshots_find(earlier, now->queue);
        const int64_t elapsed = before ? now->taken - before->taken : 0;
        if (elapsed <= 0)
            continue;
        now->in = rate(now->stats.sent, before->stats.sent, elapsed);
        now->out = rate(now->stats.acked, before->stats.acked, elapsed);
        now->failed = rate(now->stats.failed, before->stats.failed, elapsed);
    }
}
