/* Moments in microseconds since the epoch, as people and JSON write them. */
#ifndef MOMENT_H
#define MOMENT_H

#include <stdbool.h>
#include <stdint.h>

#define MOMENT_SIZE 32

/* RFC 3339; without an offset, local time, of two such moments the first. False: malformed, before the epoch, or after
   9999 in UTC. */
bool moment_parse_rfc3339(const char *text, int64_t *ret_moment);

/* The same, or `@SECONDS` since the epoch, or `HH:MM`, the first such local time after `now`; of two such moments of a
   date one that is after `now`. */
bool moment_parse(const char *text, int64_t now, int64_t *ret_moment);

/* RFC 3339 in UTC, to the microsecond. */
void moment_format(int64_t moment, char text[MOMENT_SIZE]);

#endif
