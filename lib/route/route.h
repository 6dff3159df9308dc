/*
 * Where a message that is sent to a topic goes: through its bindings, and those of the topics that it is bound to; no
 * I/O of its own.
 *
 *     struct route route = {0};
 *     error = route_find(&route, "events", &(struct route_query){.key = …, .message = …}, look, context);
 *     … route.names[i] of route.count …
 *     route_release(&route);      in any case
 */
#ifndef MQ_ROUTE_H
#define MQ_ROUTE_H

#include <stdint.h>

#include "route/bindings.h"

/* What a topic does with a message that none of its bindings takes. */
enum route_unroutable { ROUTE_REFUSE, ROUTE_DROP, ROUTE_ALTERNATE };

/* A topic, as route_find wants to see it. */
struct route_topic {
    const struct bindings *bindings;
    enum route_unroutable unroutable;
    char alternate[MQ_QUEUE_NAME_SIZE];
    bool no_sync; /* its durability is none */
    int64_t dedup_window;
};

/* Look a name up: 1 a topic, which lives until route_find returns; 0 it is none, so it is a queue; or an error, which
   ends the search. */
typedef int route_look_fn(void *context, const char *name, struct route_topic *ret_topic);

struct route_query {
    const char *key; /* NULL: none */
    const mq_message *message;
};

/* Names, each once, in the order in which they were found. */
struct route_names {
    char (*list)[MQ_QUEUE_NAME_SIZE];
    size_t count, room;
    size_t *slots; /* a hash table of places in the list, from 1 */
    size_t slots_room;
};

/* What a topic did with the message. */
struct route_passage {
    uint64_t led_to; /* how many destinations its bindings or its alternate led to that were not known before */
    bool unroutable; /* none of its bindings took it */
};

/* A binding that took it. */
struct route_use {
    const struct binding *binding; /* lives as long as the topic that `look` returned */
    size_t topic;                  /* whose it is: its place in `topics` */
};

struct route {
    struct route_names queues;      /* what gets the message */
    struct route_names topics;      /* what it went through, the first one included: each is gone through once */
    struct route_passage *passages; /* one for each of the topics */
    struct route_use *uses;
    size_t passages_room, use_count, uses_room;
};

/* 1 found, 0 nobody gets the message and it is to be dropped, -ENXIO nobody gets it and it is to be refused, or an
   error. -ENOENT: the first name is no topic. */
int route_find(struct route *route, const char *topic, const struct route_query *query, route_look_fn *look,
               void *context);

/* Add a name. 1 added, 0 it was there, -ENOMEM. */
int route_names_add(struct route_names *names, const char *name);
bool route_names_has(const struct route_names *names, const char *name);
void route_names_release(struct route_names *names);

void route_release(struct route *route);

#endif
