/*
 * Snapshots of the figures of queues.
 *
 *     struct snapshot_list list = {0};
 *     status = snapshots_gather(names, count, exact, &list);
 *     ... list.items[i], list.count ...
 *     snapshots_release(&list);
 */
#ifndef SNAPSHOT_H
#define SNAPSHOT_H

#include <mq.h>
#include <stddef.h>
#include <stdint.h>

struct snapshot {
    char queue[MQ_QUEUE_NAME_SIZE];
    int64_t taken; /* when it was taken */
    struct mq_stats stats;
    double in, out, failed; /* messages a second, over the last minute or since an earlier snapshot */
};

struct snapshot_list {
    struct snapshot *items;
    size_t count, room;
};

/* Take a snapshot of each named queue; without names, of every queue of the spool. A queue that cannot be read is
   reported, and the others are in the list all the same. Returns the most serious exit status. */
int snapshots_gather(char *const *names, int count, bool exact, struct snapshot_list *list);

/* The same for repeated looks. Reports nothing, and returns the number of queues that could not be read. */
size_t snapshots_look(char *const *names, int count, struct snapshot_list *list);
void snapshots_release(struct snapshot_list *list);

/* Append a snapshot, which the caller fills in. */
struct snapshot *snapshots_add(struct snapshot_list *list);

/* The snapshot of a queue, or NULL. */
const struct snapshot *snapshots_find(const struct snapshot_list *list, const char *queue);

/* Set the rates to those since an earlier list of snapshots, for the queues that are in both. */
void snapshots_compare(struct snapshot_list *list, const struct snapshot_list *earlier);

#endif
