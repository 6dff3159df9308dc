/* Arrays that grow. */
#include "base/grow.h"
#include "unit.h"

static void room_is_for_what_is_needed_and_at_least_doubles(void)
{
    EXPECT(grow_room(1, 0, 8) == GROW_FIRST_BYTES / 8);
    EXPECT(grow_room(1, 0, GROW_FIRST_BYTES + 1) == 1);
    EXPECT(grow_room(5, 4, 8) == 8 && grow_room(100, 4, 8) == 100);
    EXPECT(grow_room(SIZE_MAX, SIZE_MAX - 1, 1) == SIZE_MAX);
}

static void items_are_kept(void)
{
    size_t *items = NULL, room = 0;
    for (size_t i = 0; i < 10000; i++) {
        EXPECT(GROW(items, i + 1, room));
        items[i] = i;
    }
    bool kept = true;
    for (size_t i = 0; i < 10000; i++)
        kept = kept && items[i] == i;
    EXPECT(kept && room >= 10000);
    free(items);
}

static void failure_leaves_the_array_as_it_was(void)
{
    size_t *items = NULL, room = 0;
    EXPECT(GROW(items, 1, room));
    items[0] = 42;
    const size_t *const same = items;
    const size_t before = room;
    const volatile size_t too_many = SIZE_MAX;
    EXPECT(!GROW(items, too_many, room));
    EXPECT(items == same && room == before && items[0] == 42);
    free(items);
}

int main(void)
{
    room_is_for_what_is_needed_and_at_least_doubles();
    items_are_kept();
    failure_leaves_the_array_as_it_was();
    return unit_failures != 0;
}
