/*
 * The counters of topics: a table of the store in feed/host/ of each topic, with how often each binding was used.
 */
#ifndef MQ_TOPIC_COUNTS_H
#define MQ_TOPIC_COUNTS_H

#include "route/route.h"
#include "store/counts.h"

/* Keys of the table; those of bindings are greater. */
enum topic_counter { TOPIC_PUBLISHED = 1, TOPIC_ROUTED, TOPIC_UNROUTABLE, TOPIC_DUPLICATES, TOPIC_COUNTERS };

/* The key of a binding, which is that of its line. */
uint64_t topic_counts_key(const struct binding *binding);

/* The tables of topics that a process publishes to. */
struct topic_counts {
    struct topic_table *list;
    size_t count, room;
};

/* Count messages that went by a route. `bindings`: of the topic that has the most. */
void topic_counts_note(struct topic_counts *counts, int spool, const struct route *route, uint64_t messages,
                       size_t bindings);

/* Count messages to a topic that were not sent, since they had been before. */
void topic_counts_note_duplicates(struct topic_counts *counts, int spool, const char *topic, uint64_t messages,
                                  size_t bindings);
void topic_counts_release(struct topic_counts *counts);

/* The tables of all hosts, to look. */
int topic_counts_open_all(int topic_dir, struct counts_all *ret_all);

#endif
