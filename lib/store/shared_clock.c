/* The time by which a queue's leases are set and judged. */
#include "store/shared_clock.h"

#include <errno.h>
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

static int refresh(struct shared_clock *clock, struct page *page, int queue_dir, unsigned rights)
{
    struct page_clock read = {0};
    int64_t within;
    if (!clock->is_network || (clock->is_known && is_fresh(&clock->read)))
        return 0;
    const bool has = page_clock(page, &read);
    if (has)
        use(clock, &read);
    if (has && is_fresh(&read))
        return 0;
    const int64_t boot = clock_boot();
    if (rights != ACCESS_ALL || (clock->tried && boot - clock->tried < TRY_EVERY))
        return 0;
    clock->tried = boot;
    const int error = read_in_tmp(queue_dir, &read, &within);
    if (error || (within > WITHIN && clock->is_known))
        return error;
    use(clock, &read);
    page_note_clock(page, &read);
    return 0;
}

int shared_clock_read(struct shared_clock *clock, struct page *page, int queue_dir)
{
    struct page_clock read = {0};
    int64_t within;
    const int error = clock->is_network ? read_in_tmp(queue_dir, &read, &within) : 0;
    if (error || !clock->is_network)
        return error;
    if (within > WITHIN)
        return -ETIMEDOUT;
    use(clock, &read);
    page_note_clock(page, &read);
    return 0;
}

void shared_clock_refresh(struct shared_clock *clock, struct page *page, int queue_dir, unsigned rights)
{
    (void)refresh(clock, page, queue_dir, rights);
}

int shared_clock_begin_on(struct shared_clock *clock, bool is_network, struct page *page, int queue_dir,
                          unsigned rights)
{
    clock->is_network = is_network;
    const int error = refresh(clock, page, queue_dir, rights);
    return clock->is_known ? 0 : error;
}

/* A user who may only send has a page that knows nothing, and has no leases to judge. */
int shared_clock_begin(struct shared_clock *clock, struct page *page, int queue_dir, unsigned rights)
{
    const int error = page_mount(page) == PAGE_UNKNOWN && rights != ACCESS_SEND ? page_note_mount(page, queue_dir) : 0;
    return error ? error : shared_clock_begin_on(clock, page_mount(page) == PAGE_NETWORK, page, queue_dir, rights);
}

struct shared_clock shared_clock_at(int64_t now)
{
    return (struct shared_clock){.is_known = true, .ahead = now - clock_boot()};
}
