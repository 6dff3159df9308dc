/* Clocks. Moments are microseconds since the epoch; waits are measured in microseconds since the boot. */
#ifndef MQ_CLOCK_H
#define MQ_CLOCK_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#define CLOCK_SECOND INT64_C(1000000)
#define CLOCK_DAY (86400 * CLOCK_SECOND)
#define CLOCK_MAX ((INT64_C(1) << 52) - 1) /* the last moment that names can express: in the year 2112 */

/* The wall clock, for names and deadlines. It may be stepped in either direction. */
int64_t clock_now(void);

/* The monotonic clock, for waits. It is never stepped. */
int64_t clock_monotonic(void);

/* Microseconds since the boot, with those that the host slept. It is never stepped. */
int64_t clock_boot(void);

/* The moment of the boot by the wall clock. It changes if the wall clock is set. */
int64_t clock_booted_at(void);

/* A time of the kernel in microseconds. */
int64_t clock_of(const struct timespec *time);

/* The same for a time of a file. Its owner can set it to anything, so the result is limited to 0 … CLOCK_MAX. */
int64_t clock_of_file(const struct timespec *time);

#define CLOCK_RFC3339_SIZE 28

/* Write a moment as "2026-11-24T10:30:00.123456Z". It must not be before the epoch. */
void clock_format_rfc3339(int64_t moment, char text[CLOCK_RFC3339_SIZE]);

/* Read what clock_format_rfc3339 wrote. False: it is not in this form. */
bool clock_parse_rfc3339(const char *text, int64_t *ret_moment);

#endif
