/* The time by which a queue's leases are set and judged. */
#include "store/shared_clock.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/fs_hosts.h"
#include "store/access.h"

#define READ_EVERY (60 * CLOCK_SECOND)
#define TRY_EVERY CLOCK_SECOND

/* The wall clock and the time since the boot may part by this much in that time. */
#define DRIFT CLOCK_SECOND

/* A reading that took longer tells too little: a server may have been waited for. Then it is tried again. */
#define WITHIN (SHARED_CLOCK_SLACK / 4)
#define TRIES 3

static bool is_fresh(const struct page_clock *read)
{
    const int64_t since = clock_boot() - read->boot, by_wall = clock_now() - read->real;
    return since >= 0 && since < READ_EVERY && llabs(by_wall - since) < DRIFT;
}

static void use(struct shared_clock *clock, const struct page_clock *read)
{
    clock->read = *read;
    clock->ahead = read->time - read->boot;
    clock->is_known = true;
}

/* The best of some readings. */
static int read_in_tmp(int queue_dir, struct page_clock *ret_read, int64_t *ret_within)
{
    const int tmp = fs_open_dir(queue_dir, "tmp");
    int error = tmp < 0 ? tmp : 0;
    *ret_within = INT64_MAX;
    for (int tries = 0; tries < TRIES && !error && *ret_within > WITHIN; tries++) {
        int64_t time, boot, within;
        error = fs_read_clock(tmp, &time, &boot, &within);
        if (error || within >= *ret_within)
            continue;
        *ret_read = (struct page_clock){time, boot, boot + (clock_now() - clock_boot())};
        *ret_within = within;
    }
    if (tmp >= 0)
        close(tmp);
    return error;
}

void shared_clock_refresh(struct shared_clock *clock, struct page *page, int queue_dir, unsigned rights)
{
    struct page_clock read = {0};
    int64_t within;
    if (!clock->is_network || (clock->is_known && is_fresh(&clock->read)))
        return;
    const bool has = page_clock(page, &read);
    if (has)
        use(clock, &read);
    if (has && is_fresh(&read))
        return;
    const int64_t boot = clock_boot();
    if (rights != ACCESS_ALL || (clock->tried && boot - clock->tried < TRY_EVERY))
        return;
    clock->tried = boot;
    if (read_in_tmp(queue_dir, &read, &within) != 0 || (within > WITHIN && clock->is_known))
        return;
    use(clock, &read);
    page_note_clock(page, &read);
}

/* A user who may only send has a page that knows nothing, and has no leases to judge. */
void shared_clock_begin(struct shared_clock *clock, struct page *page, int queue_dir, unsigned rights)
{
    if (page_mount(page) == PAGE_UNKNOWN && rights != ACCESS_SEND)
        page_note_mount(page, queue_dir);
    clock->is_network = page_mount(page) == PAGE_NETWORK;
    shared_clock_refresh(clock, page, queue_dir, rights);
}
