/*
 * Waiting for messages: leaders and followers.
 *
 * Of the receivers that find nothing one leads: it holds the lock of waiters/ and reads the bell, which senders ring
 * (bell.h); once it has led for a second it also watches ready/ with inotify.
 * The others each hold a FIFO in waiters/ and sleep. A leader that leaves drops the lock and wakes one follower
 * through its FIFO, who leads on. So a message wakes one or two processes however many wait.
 * The leader looks by itself about once a second, and the followers do so by turns, a few times a second; so whoever dies
 * or is stopped costs about a second at most.
 *
 *     for (;;) {
 *         look for work; if there is some: break;
 *         if (!wait_is_ready(queue)) { wait_enter(queue); continue; }    subscribe, then look again
 *         wait_sleep(queue, …);
 *     }
 *     wait_leave(queue);
 */
#ifndef MQ_WAIT_H
#define MQ_WAIT_H

#include "queue/queue.h"

struct waiter;

/* Whether this handle leads, follows or polls already. */
bool wait_is_ready(const mq_queue *queue);

/* Become leader or follower. What was sent before this returns must be looked for once more. */
int wait_enter(mq_queue *queue);

/* Sleep until there may be work, `longest` has passed, or `cancel_fd` is readable: 0 look again, -ECANCELED. */
int wait_sleep(mq_queue *queue, int64_t longest, int cancel_fd);

/* Whether this handle is the one that senders ring. */
bool wait_leads(const mq_queue *queue);

/* Stop waiting; whoever led hands on. */
void wait_leave(mq_queue *queue);

void waiter_free(struct waiter *waiter); /* NULL is fine */

#endif
