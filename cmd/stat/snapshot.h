/*
 * Snapshots of the figures of queues, of topics, and of the spool's transactions.
 *
 *     struct snapshot_list lists[SNAPSHOT_KINDS] = {0};
 *     status = snapshots_gather(names, count, exact, lists);
 *     ... lists[SNAPSHOT_QUEUE].items[i], lists[SNAPSHOT_QUEUE].count ...
 *     snapshots_release(&lists[...]);
 */
#ifndef SNAPSHOT_H
#define SNAPSHOT_H

#include <mq.h>
#include <stddef.h>
#include <stdint.h>

enum snapshot_kind { SNAPSHOT_QUEUE, SNAPSHOT_TOPIC, SNAPSHOT_SPOOL, SNAPSHOT_KINDS };

struct snapshot {
    enum snapshot_kind kind;
    char queue[MQ_QUEUE_NAME_SIZE]; /* or the topic's name; "spool" */
    int64_t taken;                  /* when it was taken */
    struct mq_stats stats;
    struct mq_topic_stats topic;
    uint64_t open, unfinished; /* transactions */
    double in, out, failed;    /* messages a second, over the last minute or since an earlier snapshot */
};

struct snapshot_list {
    struct snapshot *items;
    size_t count, room;
};

/* Take a snapshot of each named queue or topic; without names, of all queues and topics of the spool and of its
   transactions. What cannot be read is reported, and the others are in the lists all the same. Returns the most serious
   exit status. */
int snapshots_gather(char *const *names, int count, bool exact, struct snapshot_list lists[SNAPSHOT_KINDS]);

/* The same for repeated looks, without transactions. Reports nothing, and returns the number of queues and topics that could
   not be read. */
size_t snapshots_look(char *const *names, int count, struct snapshot_list lists[SNAPSHOT_KINDS]);
void snapshots_release(struct snapshot_list *list);

/* Append a snapshot, which the caller fills in. */
struct snapshot *snapshots_add(struct snapshot_list *list);

/* Append those of another list. */
void snapshots_append(struct snapshot_list *list, const struct snapshot_list *others);

/* The snapshot of a queue, or NULL. */
const struct snapshot *snapshots_find(const struct snapshot_list *list, const char *queue);

/* Set the rates to those since an earlier list of snapshots, for the queues that are in both. */
void snapshots_compare(struct snapshot_list *list, const struct snapshot_list *earlier);

#endif
