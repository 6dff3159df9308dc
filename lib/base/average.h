/*
 * Averages over the last minutes, as the kernel keeps its load averages: of past seconds each weighs less than the
 * one after it, so that one number a span is all that must be kept. Pure arithmetic.
 *
 * Where the rate was r for a time t, the average over a span T moves towards it:
 *
 *     a' = a + (1 - e^(-t/T)) (r - a)
 *
 * which is exact however long t is: looked at once a second or once an hour, it decays by the same law. What is
 * counted in an instant (t = 0) adds its share n/T, so nothing is lost where two look at the same moment.
 * (G. Peeters and T. Gleixner, kernel/sched/loadavg.c; there t is always five seconds.)
 */
#ifndef MQ_AVERAGE_H
#define MQ_AVERAGE_H

#include <stdint.h>

#include "mq.h"

/* The average over `span` after `count` more in a time `elapsed`; both per second and in microseconds. */
double average_after(double average, uint64_t count, int64_t elapsed, enum mq_span span);

#endif
