/* The directories that a mq_watch watches. */
#include "admin/watch_table.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Where a watch is, or belongs. */
static size_t place_of(const struct watch_table *spots, int watch)
{
    size_t low = 0, high = spots->count;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        if (spots->items[middle].watch < watch)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

struct watched *watch_table_find(const struct watch_table *spots, int watch)
{
    const size_t place = place_of(spots, watch);
    return place < spots->count && spots->items[place].watch == watch ? &spots->items[place] : NULL;
}

static int make_room(struct watch_table *spots)
{
    if (spots->count == SPOTS_MAX)
        return -ENOSPC;
    if (spots->count < spots->room)
        return 0;
    const size_t room = spots->room ? spots->room * 2 : 64;
    struct watched *items = reallocarray(spots->items, room, sizeof *items);
    if (!items)
        return -ENOMEM;
    spots->items = items;
    spots->room = room;
    return 0;
}

int watch_table_add(struct watch_table *spots, const struct watched *spot)
{
    if (watch_table_find(spots, spot->watch))
        return 0;
    const int error = make_room(spots);
    if (error)
        return error;
    const size_t place = place_of(spots, spot->watch);
    memmove(spots->items + place + 1, spots->items + place, (spots->count - place) * sizeof *spots->items);
    spots->items[place] = *spot;
    spots->count++;
    return 1;
}

void watch_table_remove(struct watch_table *spots, int watch)
{
    struct watched *spot = watch_table_find(spots, watch);
    if (!spot)
        return;
    const size_t behind = spots->count - (size_t)(spot - spots->items) - 1;
    memmove(spot, spot + 1, behind * sizeof *spot);
    spots->count--;
}

void watch_table_remove_all(struct watch_table *spots, const struct followed *followed)
{
    size_t kept = 0;
    for (size_t i = 0; i < spots->count; i++)
        if (spots->items[i].followed != followed)
            spots->items[kept++] = spots->items[i];
    spots->count = kept;
}

size_t watch_table_unfollow(struct followed **list, size_t count, struct followed *followed)
{
    size_t kept = 0;
    for (size_t i = 0; i < count; i++)
        if (list[i] != followed)
            list[kept++] = list[i];
    free(followed);
    return kept;
}
