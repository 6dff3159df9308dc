/*
 * The directories that a mq_watch watches: those of queues, of their states, the buckets in these, and a group's
 * cursor/. The table finds them by the number that inotify gave the watch.
 */
#ifndef MQ_WATCH_TABLE_H
#define MQ_WATCH_TABLE_H

#include "queue/queue.h"

/* The most directories in a table: it bounds the memory, and leaves the user some of the watches that the kernel
   allows. */
#define WATCHES_MAX 16384

/* A queue whose events are reported. */
struct followed {
    mq_queue *queue;
    bool moved;      /* a deleter has renamed its directory */
    uint64_t missed; /* of a group: how many messages were overtaken until now */
};

enum watched_kind { WATCHED_QUEUE, WATCHED_STATE, WATCHED_BUCKET, WATCHED_CURSOR };

struct watched {
    int watch; /* the number that inotify gave it */
    enum watched_kind kind;
    struct followed *followed;
    enum mq_state state;
    char bucket[NAME_BUCKET_SIZE];
    bool untold; /* a new bucket: the messages in it are not reported yet */
};

struct watch_table {
    struct watched *items; /* sorted by `watch` */
    size_t count, room;
};

/* NULL: it is not in the table. */
struct watched *watch_table_find(const struct watch_table *table, int watch);

/* 1 added, 0 it was in the table already, -ENOSPC: the table has WATCHES_MAX. */
int watch_table_add(struct watch_table *table, const struct watched *watched);
void watch_table_remove(struct watch_table *table, int watch);

/* Remove all directories of a queue. */
void watch_table_remove_all(struct watch_table *table, const struct followed *followed);

/* Remove a queue from a list of followed ones, and free its entry. Returns how many are left. */
size_t watch_table_unfollow(struct followed **list, size_t count, struct followed *followed);

#endif
