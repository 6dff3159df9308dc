/* The directories that a mq_watch watches. */
#include "admin/watch_table.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/grow.h"

/* The index of a watch, or the one where it would be inserted. */
static size_t index_of(const struct watch_table *table, int watch)
{
    size_t low = 0, high = table->count;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        if (table->items[middle].watch < watch)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

struct watched *watch_table_find(const struct watch_table *table, int watch)
{
    const size_t index = index_of(table, watch);
    return index < table->count && table->items[index].watch == watch ? &table->items[index] : NULL;
}

int watch_table_add(struct watch_table *table, const struct watched *watched)
{
    if (watch_table_find(table, watched->watch))
        return 0;
    if (table->count == WATCHES_MAX)
        return -ENOSPC;
    if (!GROW(table->items, table->count + 1, table->room))
        return -ENOMEM;
    const size_t index = index_of(table, watched->watch);
    memmove(table->items + index + 1, table->items + index, (table->count - index) * sizeof *table->items);
    table->items[index] = *watched;
    table->count++;
    return 1;
}

void watch_table_remove(struct watch_table *table, int watch)
{
    struct watched *watched = watch_table_find(table, watch);
    if (!watched)
        return;
    const size_t behind = table->count - (size_t)(watched - table->items) - 1;
    memmove(watched, watched + 1, behind * sizeof *watched);
    table->count--;
}

void watch_table_remove_all(struct watch_table *table, const struct followed *followed)
{
    size_t kept = 0;
    for (size_t i = 0; i < table->count; i++)
        if (table->items[i].followed != followed)
            table->items[kept++] = table->items[i];
    table->count = kept;
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
