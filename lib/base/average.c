/* Averages over the last minutes. */
#include "base/average.h"

#include "base/clock.h"

/* After this many spans nothing of the old average is left in a double. */
#define FORGOTTEN 700

/* How often x is halved before the series is used, which needs few terms only if x is small. */
#define HALVINGS 10

static const int64_t spans[MQ_SPANS] = {
    [MQ_1_MINUTE] = 60 * CLOCK_SECOND,
    [MQ_5_MINUTES] = 300 * CLOCK_SECOND,
    [MQ_15_MINUTES] = 900 * CLOCK_SECOND,
};

/* 1 - e^-x for x >= 0, without cancellation near 0. The mathematical library's expm1 would have to be loaded by every
   program. */
static double lost_after(double x)
{
    if (x >= FORGOTTEN)
        return 1;
    const double small = x / (1 << HALVINGS);
    double lost = small * (1 - small / 2 * (1 - small / 3 * (1 - small / 4 * (1 - small / 5 * (1 - small / 6)))));
    for (int i = 0; i < HALVINGS; i++)
        lost += lost * (1 - lost); /* 1 - (1 - lost)² */
    return lost;
}

double average_after(double average, uint64_t count, int64_t elapsed, enum mq_span span)
{
    const double seconds = (double)elapsed / CLOCK_SECOND, whole = (double)spans[span] / CLOCK_SECOND;
    if (elapsed <= 0)
        return average + (double)count / whole;
    return average + lost_after(seconds / whole) * ((double)count / seconds - average);
}
