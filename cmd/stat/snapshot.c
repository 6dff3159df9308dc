/* Snapshots of the figures of queues. */
#include "stat/snapshot.h"

#include "base/clock.h"
#include "base/grow.h"
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

int snapshots_gather(char *const *names, int count, bool exact, struct snapshot_list *list)
{
    list->count = 0;
    return queues_each(names, count, take_or_tell, &(struct look){list, exact});
}

struct quiet_look {
    struct snapshot_list *list;
    size_t unseen;
};

static int take_quietly(const char *name, void *context)
{
    struct quiet_look *look = context;
    mq_queue *queue;
    int error = mq_open(cli_spool, name, 0, &queue);
    if (!error) {
        error = take(queue, false, look->list);
        mq_close(queue);
    }
    look->unseen += error != 0;
    return 0;
}

size_t snapshots_look(char *const *names, int count, struct snapshot_list *list)
{
    struct quiet_look look = {.list = list};
    list->count = 0;
    cli_survive_cut_pages();
    for (int i = 0; i < count; i++)
        (void)take_quietly(names[i], &look);
    if (count == 0 && mq_list(cli_spool, take_quietly, &look) < 0)
        look.unseen++;
    return look.unseen;
}

void snapshots_release(struct snapshot_list *list)
{
    free(list->items);
    *list = (struct snapshot_list){0};
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
