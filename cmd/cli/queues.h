/* Calling a function for each named queue, or for every queue of the spool. */
#ifndef QUEUES_H
#define QUEUES_H

#include <mq.h>

/*
 * Open each named queue, call `act`, and close it; without names, do so for every queue of the spool, which must exist.
 * A queue that cannot be opened is reported, and the others are visited all the same. Returns the most serious exit
 * status.
 */
int queues_each(char *const *names, int count, int (*act)(mq_queue *queue, void *context), void *context);

#endif
