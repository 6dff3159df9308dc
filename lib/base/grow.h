/*
 * Growing arrays.
 *
 *     struct item *items = NULL;
 *     size_t count = 0, room = 0;
 *     …
 *     if (!GROW(items, count + 1, room))
 *         return -ENOMEM;
 *     items[count++] = item;
 *
 * The room at least doubles each time, so that adding n items copies only O(n) bytes. On failure GROW is false and the
 * array is as it was.
 */
#ifndef MQ_GROW_H
#define MQ_GROW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#define GROW_FIRST_BYTES 4096 /* the first allocation is at least this large */

static inline size_t grow_room(size_t needed, size_t room, size_t item_size)
{
    const size_t first = item_size < GROW_FIRST_BYTES ? GROW_FIRST_BYTES / item_size : 1;
    const size_t next = room == 0 ? first : room <= SIZE_MAX / 2 ? room * 2 : SIZE_MAX;
    return next < needed ? needed : next;
}

/* Make room for `needed` items. `room`, the number of items that fit, is updated. Evaluates its arguments twice. */
#define GROW(array, needed, room)                                                                                      \
    ((needed) <= (room) || __extension__({                                                                             \
         const size_t grown_room_ = grow_room(needed, room, sizeof *(array));                                          \
         void *const grown_ = reallocarray(array, grown_room_, sizeof *(array));                                       \
         if (grown_) {                                                                                                 \
             (array) = grown_;                                                                                         \
             (room) = grown_room_;                                                                                     \
         }                                                                                                             \
         grown_ != NULL;                                                                                               \
     }))

#endif
