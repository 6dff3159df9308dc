/* The figures of queues. */
#include "stat/figures.h"

#include "base/clock.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/queues.h"
#include "text/moment.h"

struct look {
    struct figures_list *list;
    bool exact;
};

struct figures *figures_add(struct figures_list *list)
{
    if (list->count == list->room) {
        list->room = list->room ? list->room * 2 : 16;
        list->items = cli_must(reallocarray(list->items, list->room, sizeof *list->items));
    }
    return &list->items[list->count++];
}

static int take(mq_queue *queue, bool exact, struct figures_list *list)
{
    struct mq_stats stats;
    const int error = mq_stat(queue, exact, &stats);
    if (error)
        return error;
    struct figures *figures = figures_add(list);
    *figures = (struct figures){
        .taken = clock_now(),
        .stats = stats,
        .in = stats.sent_rate[MQ_1_MINUTE],
        .out = stats.acked_rate[MQ_1_MINUTE],
        .failed = stats.failed_rate[MQ_1_MINUTE],
    };
    snprintf(figures->queue, sizeof figures->queue, "%s", mq_queue_name(queue));
    return 0;
}

static int take_or_tell(mq_queue *queue, void *context)
{
    const struct look *look = context;
    const int error = take(queue, look->exact, look->list);
    return error ? cli_queue_error(error, mq_queue_name(queue), "cannot count") : STATUS_DONE;
}

int figures_gather(char *const *names, int count, bool exact, struct figures_list *list)
{
    list->count = 0;
    return queues_each(names, count, take_or_tell, &(struct look){list, exact});
}

struct quiet_look {
    struct figures_list *list;
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

size_t figures_look(char *const *names, int count, struct figures_list *list)
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

void figures_release(struct figures_list *list)
{
    free(list->items);
    *list = (struct figures_list){0};
}

const struct figures *figures_find(const struct figures_list *list, const char *queue)
{
    for (size_t i = 0; i < list->count; i++)
        if (strcmp(list->items[i].queue, queue) == 0)
            return &list->items[i];
    return NULL;
}

/* A counter that fell began anew: with the host, or the queue. */
static double rate(uint64_t now, uint64_t before, int64_t elapsed)
{
    return (double)(now >= before ? now - before : now) * 1e6 / (double)elapsed;
}

void figures_compare(struct figures_list *list, const struct figures_list *earlier)
{
    for (size_t i = 0; i < list->count; i++) {
        struct figures *now = &list->items[i];
        const struct figures *before = figures_find(earlier, now->queue);
        const int64_t elapsed = before ? now->taken - before->taken : 0;
        if (elapsed <= 0)
            continue;
        now->in = rate(now->stats.sent, before->stats.sent, elapsed);
        now->out = rate(now->stats.acked, before->stats.acked, elapsed);
        now->failed = rate(now->stats.failed, before->stats.failed, elapsed);
    }
}
