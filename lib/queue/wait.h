/*
 * Waiting for messages: leaders and followers.
 *
 * One of the receivers that wait leads. It holds the lock of waiters/ and reads the bell, which senders ring (bell.h).
 * After it has led for a second it also watches ready/ with inotify. Each of the other receivers has a FIFO in waiters/
 * and sleeps until it is written to. A leader that leaves drops the lock and wakes one follower, which leads from then
 * on. So a message wakes one or two processes, however many wait.
 *
 * The leader also looks by itself about once a second, and all followers together a few times a second. So a process
 * that dies or is stopped delays the others by about a second at most.
 *
 *     struct waiter *waiter = NULL;
 *     for (;;) {
 *         look for a message; if there is one: break;
 *         if (wait_is_ready(waiter))
 *             wait_sleep(waiter, …);
 *         else
 *             wait_enter(&waiter, …);      then look once more: a message may have come before
 *     }
 *     wait_leave(waiter, …);
 *     waiter_free(waiter);
 *
 * Errors are negative errno values.
 */
#ifndef MQ_WAIT_H
#define MQ_WAIT_H

#include <stdbool.h>
#include <stdint.h>

#include "store/page.h"

struct waiter;

#define WAIT_DIRS 2

/* What waiting uses of a queue. Each call is given it, since the page may be replaced between two calls. */
struct wait_queue {
    int dir;
    unsigned sharing;
    struct page *page;
    /* Messages may also come from elsewhere, where no process rings: open the directories to watch. Returns how many. NULL:
       they do not. */
    int (*open_watched)(void *context, int ret_dirs[WAIT_DIRS]);
    void *context;
};

/* Whether this waiter leads, follows or polls already. This and the next two are false for NULL. */
bool wait_is_ready(const struct waiter *waiter);

/* Whether this waiter leads: senders ring it. */
bool wait_leads(const struct waiter *waiter);

/* Whether it looks again and again, since it cannot be woken here. */
bool wait_polls(const struct waiter *waiter);

/* Begin to lead or to follow; makes the waiter where `*waiter` is NULL. -ENOENT: waiters/ is missing. */
int wait_enter(struct waiter **waiter, const struct wait_queue *queue);

/*
 * Sleep until there may be a message, something is due, `longest` has passed, or `cancel_fd` is readable. `due` is the
 * moment by the clock when a message must be moved next; only a follower sleeps through it, since the leader does that.
 * 0: look again; -ECANCELED.
 */
int wait_sleep(struct waiter *waiter, const struct wait_queue *queue, int64_t due, int64_t longest, int cancel_fd);

/* Stop waiting. If this waiter leads it wakes another one to lead. */
void wait_leave(struct waiter *waiter, const struct wait_queue *queue);

void waiter_free(struct waiter *waiter); /* NULL is fine */

#endif
