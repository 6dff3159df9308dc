/* What the measuring programs share. */
#ifndef MEASURE_H
#define MEASURE_H

#include <stdlib.h>
#include <time.h>

static inline double microseconds(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec * 1e6 + (double)time.tv_nsec / 1e3;
}

static inline int compare_doubles(const void *one, const void *other)
{
    const double a = *(const double *)one, b = *(const double *)other;
    return (a > b) - (a < b);
}

/* Sorts the figures; the one of which `percent` in a hundred are smaller. */
static inline double percentile(double *figures, int count, int percent)
{
    qsort(figures, (size_t)count, sizeof *figures, compare_doubles);
    return figures[count * percent / 100];
}

#endif
