/* Where a message that is sent to a topic goes. */
#include "route/route.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* ---- sets of names --------------------------------------------------------------------------- */

/* FNV-1a. Names that were chosen to collide slow down only the topic that they are bound to. */
static uint64_t hash(const char *name)
{
    uint64_t value = UINT64_C(0xcbf29ce484222325);
    for (; *name; name++)
        value = (value ^ (unsigned char)*name) * UINT64_C(0x100000001b3);
    return value;
}

/* The slot that has the name or may take it. */
static size_t *find_slot(const struct route_names *names, const char *name)
{
    size_t at = (size_t)hash(name) & (names->slots_room - 1);
    while (names->slots[at] && strcmp(names->list[names->slots[at] - 1], name) != 0)
        at = (at + 1) & (names->slots_room - 1);
    return &names->slots[at];
}

/* Half of the slots stay free. */
static int make_room(struct route_names *names)
{
    if (names->count < names->room)
        return 0;
    const size_t room = names->room ? names->room * 2 : 16;
    void *list = realloc(names->list, room * sizeof *names->list);
    if (!list)
        return -ENOMEM;
    names->list = list;
    size_t *slots = calloc(room * 2, sizeof *slots);
    if (!slots)
        return -ENOMEM;
    free(names->slots);
    names->slots = slots;
    names->slots_room = room * 2;
    names->room = room;
    for (size_t i = 0; i < names->count; i++)
        *find_slot(names, names->list[i]) = i + 1;
    return 0;
}

int route_names_add(struct route_names *names, const char *name)
{
    const int error = make_room(names);
    if (error)
        return error;
    size_t *slot = find_slot(names, name);
    if (*slot)
        return 0;
    strcpy(names->list[names->count], name);
    *slot = ++names->count;
    return 1;
}

void route_names_release(struct route_names *names)
{
    free(names->list);
    free(names->slots);
    *names = (struct route_names){0};
}

void route_release(struct route *route)
{
    route_names_release(&route->queues);
    route_names_release(&route->topics);
}

/* ---- the search ------------------------------------------------------------------------------- */

struct search {
    struct route *route;
    const struct route_query *query;
    route_look_fn *look;
    void *context;
    struct route_names next; /* names that were reached and not looked up yet; those before `looked` were */
    size_t looked;
};

/* What the topic's bindings lead to, or else its alternate. */
static int follow(struct search *search, const struct route_topic *topic)
{
    bool any = false;
    int added = 0;
    for (size_t i = 0; i < topic->bindings->count && added >= 0; i++) {
        const struct binding *binding = &topic->bindings->list[i];
        if (!binding_matches(binding, search->query->key, search->query->message))
            continue;
        any = true;
        added = route_names_add(&search->next, binding->destination);
    }
    if (!any && topic->unroutable == ROUTE_ALTERNATE)
        added = route_names_add(&search->next, topic->alternate);
    return added < 0 ? added : 0;
}

/* A name that was reached is looked up once: so a circle of topics ends. */
static int look_up(struct search *search, const char *name, enum route_unroutable *ret_unroutable)
{
    struct route_topic topic;
    const int is_topic = search->look(search->context, name, &topic);
    if (is_topic < 0)
        return is_topic;
    if (!is_topic)
        return search->looked == 1 ? -ENOENT : route_names_add(&search->route->queues, name);
    if (search->looked == 1)
        *ret_unroutable = topic.unroutable;
    const int added = route_names_add(&search->route->topics, name);
    return added < 0 ? added : follow(search, &topic);
}

int route_find(struct route *route, const char *topic, const struct route_query *query, route_look_fn *look,
               void *context)
{
    struct search search = {.route = route, .query = query, .look = look, .context = context};
    enum route_unroutable unroutable = ROUTE_REFUSE;
    int error = route_names_add(&search.next, topic);
    while (error >= 0 && search.looked < search.next.count) {
        char name[MQ_QUEUE_NAME_SIZE];
        strcpy(name, search.next.list[search.looked++]); /* the list moves when it grows */
        error = look_up(&search, name, &unroutable);
    }
    route_names_release(&search.next);
    if (error < 0)
        return error;
    return route->queues.count > 0 ? 1 : unroutable == ROUTE_REFUSE ? -ENXIO : 0;
}
