/*
 * The time by which a queue's leases are set and judged. On a file system of one host it is the host's clock. On one that
 * several hosts share it is the file system's, since the hosts' clocks differ: else a host whose clock is ahead would
 * take the claims of the others for lapsed while they are held.
 *
 *     shared_clock_begin(&clock, page, queue_dir, rights);         when the handle has got a page
 *     shared_clock_refresh(&clock, page, queue_dir, rights);       before each operation
 *     …
 *     now = shared_clock_now(&clock);
 *
 * The file system's time is read from a file that was just made, about once a minute for each host and queue; all processes
 * of the host find it in the page. In between the time since the boot is added, which is never set. It is read again at once
 * if the wall clock was set, or if the machine was stopped from outside, which the time since the boot does not show.
 */
#ifndef MQ_SHARED_CLOCK_H
#define MQ_SHARED_CLOCK_H

#include "base/clock.h"
#include "store/page.h"

struct shared_clock {
    bool is_network; /* several hosts may share the file system */
    bool is_known;   /* its time is */
    int64_t ahead;   /* of the time since the boot */
    int64_t tried;   /* when it was last to be read; 0: never */
    struct page_clock read;
};

/* Two hosts know the file system's time to within this. So a host takes a claim of another one for lapsed only when the
   deadline has passed by that much; a claim's owner keeps to the deadline itself. */
#define SHARED_CLOCK_SLACK (CLOCK_SECOND / 2)

/* Learn from the page whether several hosts may share the file system, and what time it is there. An error: that cannot be
   known, and nothing in the queue may be judged by its age. */
int shared_clock_begin(struct shared_clock *clock, struct page *page, int queue_dir, unsigned rights);

/* The same where it is known whether several hosts may share the file system. It may be repeated. */
int shared_clock_begin_on(struct shared_clock *clock, bool is_network, struct page *page, int queue_dir,
                          unsigned rights);

/* A clock that shows this time now. */
struct shared_clock shared_clock_at(int64_t now);

/* Read the time if that is to be done. If it cannot be read, the handle goes on with what it knows. A user who may only look
   at the queue cannot read it: until another user has, he is shown ages by the host's clock. Makes no system call on a file
   system of one host. */
void shared_clock_refresh(struct shared_clock *clock, struct page *page, int queue_dir, unsigned rights);

/* Read it now, on a file system that several hosts share: for who has to know that no time was passed over, as it is while
   the machine is stopped from outside. 0, or a negative errno: it is not known. */
int shared_clock_read(struct shared_clock *clock, struct page *page, int queue_dir);

static inline int64_t shared_clock_now(const struct shared_clock *clock)
{
    return clock->is_known ? clock_boot() + clock->ahead : clock_now();
}

/* How much longer than until its deadline a claim is left to its owner. */
static inline int64_t shared_clock_slack(const struct shared_clock *clock)
{
    return clock->is_network ? SHARED_CLOCK_SLACK : 0;
}

#endif
