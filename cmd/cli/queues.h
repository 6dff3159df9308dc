/* Doing something with each of the queues named, or with all of the spool. */
#ifndef QUEUES_H
#define QUEUES_H

#include <mq.h>

/*
 * Open each queue, call `act`, and close it; with no names, each queue there is, of a spool that there is. What cannot be
 * opened is told and the rest still done. The worst of the exit statuses.
 */
int queues_each(char *const *names, int count, int (*act)(mq_queue *queue, void *context), void *context);

#endif
