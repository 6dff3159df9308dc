/*
 * How many consumers the load needs, and when the backlog will be gone or the disk full. This is calculated from the
 * rates of the last five minutes, the time that a consumer holds a message, and the present depth. mq-stat(1) states
 * the assumptions.
 */
#ifndef CAPACITY_H
#define CAPACITY_H

#include <stdint.h>

/* For the named queues and logs (log_capacity.h), whose order this changes; without names, for all of the spool.
   `within` is the time in which the backlog is to be worked off. Returns an exit status. */
int capacity_show(char **names, int count, int64_t within);

#endif
