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
 * A process may wait on several queues at once: it leads or follows in each of them by itself, and sleeps on all.
 *
 *     struct waiter *waiter = NULL;
 *     for (;;) {
 *         look for a message; if there is one: break;
 *         if (wait_is_ready(waiter))
 *             wait_sleep(&member, 1, …);
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

#include <stddef.h>

#include "queue/waiter.h"

struct pollfd;

/* How many descriptors so many waiters sleep on. */
#define WAIT_FDS(count) (1 + 2 * (count))

/* Whether this waiter leads, follows or polls already. This and the next two are false for NULL. */
bool wait_is_ready(const struct waiter *waiter);

/* Whether this waiter leads: senders ring it. */
bool wait_leads(const struct waiter *waiter);

/* Whether it looks again and again, since it cannot be woken here. */
bool wait_polls(const struct waiter *waiter);

/* Begin to lead or to follow; makes the waiter where `*waiter` is NULL. -ENOENT: waiters/ is missing. */
int wait_enter(struct waiter **waiter, const struct wait_queue *queue);

/*
 * Sleep until one of the queues may have a message, something is due in one, `longest` has passed, or `cancel_fd` is
 * readable. `fds` has room for WAIT_FDS(count) descriptors. 0: look again; -ECANCELED.
 */
int wait_sleep(struct wait_member *members, size_t count, int64_t longest, int cancel_fd, struct pollfd *fds);

/* Stop waiting. If this waiter leads it wakes another one to lead. */
void wait_leave(struct waiter *waiter, const struct wait_queue *queue);

void waiter_free(struct waiter *waiter); /* NULL is fine */

#endif
