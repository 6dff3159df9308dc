/* Which messages of a batch may share a file. */
#include "route/groups.h"

#include <string.h>

static bool is_same(const struct route_names *one, const struct route_names *other)
{
    bool same = one->count == other->count;
    for (size_t i = 0; i < one->count && same; i++)
        same = strcmp(one->list[i], other->list[i]) == 0;
    return same;
}

static bool share_any(const struct route_names *one, const struct route_names *other)
{
    for (size_t i = 0; i < one->count; i++)
        if (route_names_has(other, one->list[i]))
            return true;
    return false;
}

/* A message of the group; all of them have one route. */
static const struct route *route_of(const struct route *routes, const size_t *groups, size_t group)
{
    size_t i = 0;
    while (groups[i] != group)
        i++;
    return &routes[i];
}

size_t groups_make(const struct route *routes, size_t count, size_t back, size_t *ret_groups)
{
    size_t groups = 0;
    for (size_t i = 0; i < count; i++) {
        const size_t end = groups > back ? groups - back : 0;
        size_t group = groups, joined = groups;
        while (group-- > end) {
            const struct route *other = route_of(routes, ret_groups, group);
            if (is_same(&routes[i].queues, &other->queues))
                joined = group;
            if (joined < groups || share_any(&routes[i].queues, &other->queues))
                break;
        }
        ret_groups[i] = joined;
        groups += joined == groups;
    }
    return groups;
}
