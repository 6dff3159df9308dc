/* Time, from one place: microseconds since the epoch for moments, since boot for waiting. */
#ifndef MQ_CLOCK_H
#define MQ_CLOCK_H

#include <stdint.h>
#include <time.h>

#define CLOCK_SECOND INT64_C(1000000)
#define CLOCK_DAY (86400 * CLOCK_SECOND)
#define CLOCK_MAX ((INT64_C(1) << 52) - 1) /* the last moment that names can express: in the year 2112 */

/* The wall clock: what names and deadlines are made of. It may be stepped in either direction. */
int64_t clock_now(void);

/* A clock that is never stepped: for how long to wait. */
int64_t clock_monotonic(void);

/* The moment when the system was booted, by the wall clock: it moves when that is set. */
int64_t clock_booted_at(void);

/* A moment of the kernel's clocks. */
int64_t clock_of(const struct timespec *time);

/* The same of a file's times, which its owner can set to anything: from the epoch to CLOCK_MAX. */
int64_t clock_of_file(const struct timespec *time);

#define CLOCK_RFC3339_SIZE 28

/* "2026-11-24T10:30:00.123456Z", of a moment that is not before the epoch. */
void clock_format_rfc3339(int64_t moment, char text[CLOCK_RFC3339_SIZE]);

#endif
