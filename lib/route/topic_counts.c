/* The counters of topics. */
#include "route/topic_counts.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/grow.h"
#include "route/topic.h"
#include "store/access.h"
#include "store/page.h"

struct topic_table {
    char topic[MQ_QUEUE_NAME_SIZE];
    struct counts *counts; /* NULL: nothing can be counted */
};

/* ---- keys ------------------------------------------------------------------------------------ */

/* FNV-1a, as long as it is not one of the counters. */
uint64_t topic_counts_key(const struct binding *binding)
{
    char line[BINDING_LINE_MAX];
    uint64_t key = UINT64_C(0xcbf29ce484222325);
    binding_format(binding, line);
    for (const char *at = line; *at; at++)
        key = (key ^ (unsigned char)*at) * UINT64_C(0x100000001b3);
    return key < TOPIC_COUNTERS ? key + TOPIC_COUNTERS : key;
}

/* ---- counting -------------------------------------------------------------------------------- */

/* In a shared topic each user has a table of their own: what others can cut short must not be mapped. */
static struct counts *open_in(int dir, size_t bindings)
{
    char host_name[PAGE_NAME_SIZE], name[COUNTS_NAME_SIZE];
    unsigned sharing;
    const int feed = access_read_topic(dir, &sharing) == 0 ? fs_open_passage(dir, TOPIC_FEED) : -1;
    if (feed < 0)
        return NULL;
    page_host_name(host_name);
    if (access_is_shared(sharing))
        snprintf(name, sizeof name, "%s-%u", host_name, (unsigned)geteuid());
    else
        strcpy(name, host_name);
    struct counts *counts = counts_open(feed, name, bindings + TOPIC_COUNTERS, access_mode(sharing, ACCESS_TABLE));
    close(feed);
    return counts;
}

static struct counts *open_table(int spool, const char *topic, size_t bindings)
{
    const int dir = topic_open_dir(spool, topic);
    struct counts *counts = dir < 0 ? NULL : open_in(dir, bindings);
    if (dir >= 0)
        close(dir);
    return counts;
}

static struct topic_table *find_table(struct topic_counts *counts, const char *topic)
{
    for (size_t i = 0; i < counts->count; i++)
        if (strcmp(counts->list[i].topic, topic) == 0)
            return &counts->list[i];
    if (!GROW(counts->list, counts->count + 1, counts->room))
        return NULL;
    struct topic_table *table = &counts->list[counts->count++];
    *table = (struct topic_table){0};
    strcpy(table->topic, topic);
    return table;
}

static struct counts *table_of(struct topic_counts *counts, int spool, const char *topic, size_t bindings)
{
    struct topic_table *table = find_table(counts, topic);
    if (!table)
        return NULL;
    if (table->counts && !counts_are_current(table->counts, bindings + TOPIC_COUNTERS)) {
        counts_close(table->counts);
        table->counts = NULL;
    }
    if (!table->counts)
        table->counts = open_table(spool, topic, bindings);
    return table->counts;
}

void topic_counts_note(struct topic_counts *counts, int spool, const struct route *route, uint64_t messages,
                       size_t bindings)
{
    size_t use = 0; /* they are in the order of the topics */
    for (size_t i = 0; i < route->topics.count; i++) {
        struct counts *table = table_of(counts, spool, route->topics.list[i], bindings);
        const struct route_passage *passage = &route->passages[i];
        counts_add(table, TOPIC_PUBLISHED, messages);
        if (passage->led_to)
            counts_add(table, TOPIC_ROUTED, messages * passage->led_to);
        if (passage->unroutable)
            counts_add(table, TOPIC_UNROUTABLE, messages);
        for (; use < route->use_count && route->uses[use].topic == i; use++)
            counts_add(table, topic_counts_key(route->uses[use].binding), messages);
    }
}

void topic_counts_note_duplicates(struct topic_counts *counts, int spool, const char *topic, uint64_t messages,
                                  size_t bindings)
{
    if (messages > 0)
        counts_add(table_of(counts, spool, topic, bindings), TOPIC_DUPLICATES, messages);
}

void topic_counts_release(struct topic_counts *counts)
{
    for (size_t i = 0; i < counts->count; i++)
        counts_close(counts->list[i].counts);
    free(counts->list);
    *counts = (struct topic_counts){0};
}

/* ---- looking --------------------------------------------------------------------------------- */

int topic_counts_open_all(int topic_dir, struct counts_all *ret_all)
{
    const int feed = fs_open_passage(topic_dir, TOPIC_FEED);
    *ret_all = (struct counts_all){0};
    if (feed < 0)
        return feed == -ENOENT || feed == -EACCES ? 0 : feed;
    const int error = counts_open_all(feed, ret_all);
    close(feed);
    return error == -EACCES ? 0 : error;
}
