/*
 * Dead letters that go on: with `dead-letter = NAME` a queue's dead letters are sent to another queue, or to a topic.
 *
 *     queue->send_on = send_on;                                 a handle does so as soon as a message dies
 *     error = send_on_all(queue, &sent, &kept, &why);           a sweep does so with what stayed
 *
 * A dead letter becomes one first, by the rename that every death is. Going on is a transaction, whose input it is and
 * whose output is a new message of the same id, so it is in one place at every moment, whoever dies when.
 */
#ifndef MQ_SEND_ON_H
#define MQ_SEND_ON_H

#include "queue/queue.h"

/* Send on the dead letter `file`, called `name`, in an open bucket of dead/. 1 it has gone on; 0 it stays, as corrupt ones
   do, or another process was first; or why it cannot go on: then it stays, too. */
int send_on(mq_queue *queue, int dir, const char *file, const struct message_name *name);

/* All of a queue. What cannot go on is counted in `ret_kept`, and `ret_why` is the first reason. */
int send_on_all(mq_queue *queue, uint64_t *ret_sent, uint64_t *ret_kept, int *ret_why);

#endif
