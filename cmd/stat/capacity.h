/*
 * How many consumers the load needs, and when the backlog will be gone or the disk full: from the rates of the last
 * five minutes, the time that a message takes a consumer, and the present depth. mq-stat(1) states the assumptions.
 */
#ifndef CAPACITY_H
#define CAPACITY_H

#include <stdint.h>

/* For the queues named, or all of the spool; `within` is how soon the backlog is to be gone. An exit status. */
int capacity_show(char *const *names, int count, int64_t within);

#endif
