/*
 * Exponentially damped averages over the last minutes, as the kernel's load averages are. Older seconds weigh less than
 * younger ones, so one number for each span is all that must be stored. Pure arithmetic.
 *
 * If the rate was r for a time t, the average a over a span T becomes
 *
 *     a' = a + (1 - e^(-t/T)) (r - a)
 *
 * This is exact for any t: an average that is updated once a second and one that is updated once an hour decay by the
 * same law. Events counted at one instant (t = 0) add their share n/T, so none is lost if two processes update the
 * average at the same moment. (G. Peeters and T. Gleixner, kernel/sched/loadavg.c; there t is always five seconds.)
 */
#ifndef MQ_AVERAGE_H
#define MQ_AVERAGE_H

#include <stdint.h>

#include "mq.h"

/* The new average after `count` events in `elapsed` microseconds. Averages are per second. */
double average_after(double average, uint64_t count, int64_t elapsed, enum mq_span span);

#endif
