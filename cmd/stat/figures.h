/*
 * The figures of queues, taken at a look.
 *
 *     struct figures_list list = {0};
 *     status = figures_gather(names, count, exact, &list);
 *     ... list.items[i], list.count ...
 *     figures_release(&list);
 */
#ifndef FIGURES_H
#define FIGURES_H

#include <mq.h>
#include <stddef.h>
#include <stdint.h>

struct figures {
    char queue[MQ_QUEUE_NAME_SIZE];
    int64_t taken; /* the moment of the look */
    struct mq_stats stats;
    double in, out, failed; /* messages a second: of the last minute, or since an earlier look */
};

struct figures_list {
    struct figures *items;
    size_t count, room;
};

/* Look at the queues named, or with none at each of the spool; what cannot be seen is told, and the others
   are there. The worst of the exit statuses. */
int figures_gather(char *const *names, int count, bool exact, struct figures_list *list);

/* The same for who looks again and again, and tells nothing: how many queues could not be seen. */
size_t figures_look(char *const *names, int count, struct figures_list *list);
void figures_release(struct figures_list *list);

/* Room for one more at the end of the list. */
struct figures *figures_add(struct figures_list *list);

/* The figures of a queue, or NULL. */
const struct figures *figures_find(const struct figures_list *list, const char *queue);

/* Let the rates be those since an earlier look, for the queues that were seen then. */
void figures_compare(struct figures_list *list, const struct figures_list *earlier);

#endif
