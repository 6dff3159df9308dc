/*
 * The directories that a mq_watch watches, by the numbers of their watches: queues, their states' directories, and the
 * buckets in these.
 */
#ifndef MQ_SPOTS_H
#define MQ_SPOTS_H

#include "queue/queue.h"

/* So many directories are watched at most: memory stays bounded, and some of the user's watches are left. */
#define SPOTS_MAX 16384

/* A queue that is followed. */
struct followed {
    mq_queue *queue;
    bool moved; /* its directory has another name: it is being deleted */
};

enum watched_kind { WATCHED_QUEUE, WATCHED_STATE, WATCHED_BUCKET };

struct watched {
    int watch;
    enum watched_kind kind;
    struct followed *followed;
    enum mq_state state;
    char bucket[NAME_BUCKET_SIZE];
    bool untold; /* what lies in it is news */
};

struct watch_table {
    struct watched *items; /* sorted by their watches */
    size_t count, room;
};

/* NULL: not watched. */
struct watched *watch_table_find(const struct watch_table *spots, int watch);

/* Add one, unless it is there. 1 added, 0 it was there, -ENOSPC: too many. */
int watch_table_add(struct watch_table *spots, const struct watched *spot);
void watch_table_remove(struct watch_table *spots, int watch);

/* Forget those of a queue. */
void watch_table_remove_all(struct watch_table *spots, const struct followed *followed);

/* Take a queue off the list of those that are followed, and free its entry. How many are left. */
size_t watch_table_unfollow(struct followed **list, size_t count, struct followed *followed);

#endif
