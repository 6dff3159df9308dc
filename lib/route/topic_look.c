/* Looking at topics: their bindings, and how often these were used. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "route/follow.h"
#include "route/topic.h"
#include "route/topic_counts.h"
#include "store/spool.h"

static int show_binding(const struct binding *binding, const struct counts_all *counts,
                        int (*each)(const struct mq_binding *, void *), void *context)
{
    const char *conditions[BINDING_LINE_MAX / 2];
    struct mq_binding shown = {.destination = binding->destination,
                               .any = binding->kind == BINDING_ANY,
                               .used = counts_read_all(counts, topic_counts_key(binding))};
    if (binding->kind == BINDING_KEY)
        shown.pattern = binding->terms;
    if (binding->kind == BINDING_ALL || binding->kind == BINDING_ANY)
        for (const char *term = binding->terms; *term; term += strlen(term) + 1)
            conditions[shown.condition_count++] = term;
    shown.conditions = conditions;
    return each(&shown, context);
}

int mq_topic_bindings(const char *spool_path, const char *topic,
                      int (*each)(const struct mq_binding *binding, void *context), void *context)
{
    struct bindings bindings = {0};
    char problem[BINDINGS_PROBLEM_SIZE];
    int spool;
    const int dir = topic_open_at(spool_path, topic, &spool);
    if (dir < 0)
        return dir;
    struct counts_all counts = {0};
    int stop = topic_read_bindings(dir, &bindings, problem);
    topic_drop_dead(spool_path, spool, topic, &bindings);
    if (!stop)
        stop = topic_counts_open_all(dir, &counts);
    for (size_t i = 0; i < bindings.count && !stop; i++)
        stop = show_binding(&bindings.list[i], &counts, each, context);
    counts_close_all(&counts);
    bindings_release(&bindings);
    close(dir);
    close(spool);
    return stop;
}

int mq_topic_stat(const char *spool_path, const char *topic, struct mq_topic_stats *ret_stats)
{
    struct bindings bindings = {0};
    struct counts_all counts = {0};
    char problem[BINDINGS_PROBLEM_SIZE];
    int spool;
    const int dir = topic_open_at(spool_path, topic, &spool);
    if (dir < 0)
        return dir;
    int error = topic_read_bindings(dir, &bindings, problem);
    if (!error)
        error = topic_counts_open_all(dir, &counts);
    if (!error)
        *ret_stats = (struct mq_topic_stats){.bindings = bindings.count,
                                             .published = counts_read_all(&counts, TOPIC_PUBLISHED),
                                             .routed = counts_read_all(&counts, TOPIC_ROUTED),
                                             .unroutable = counts_read_all(&counts, TOPIC_UNROUTABLE),
                                             .duplicates = counts_read_all(&counts, TOPIC_DUPLICATES)};
    counts_close_all(&counts);
    bindings_release(&bindings);
    close(dir);
    close(spool);
    return error;
}
