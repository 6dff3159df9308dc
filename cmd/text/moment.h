/* Moments in microseconds since the epoch, as people and JSON write them. */
#ifndef MOMENT_H
#define MOMENT_H

#include <stdbool.h>
#include <stdint.h>

#define MOMENT_SIZE 32

/* Parse RFC 3339. A time without an offset is local; if clocks show it twice, the first moment is meant. False:
   malformed, before the epoch, or after 9999 in UTC. */
bool moment_parse_rfc3339(const char *text, int64_t *ret_moment);

/* Parse the same, or `@SECONDS` since the epoch, or `HH:MM`, the first moment after `now` at which clocks show that
   local time. If clocks show a local date and time twice, the first moment after `now` is meant. */
bool moment_parse(const char *text, int64_t now, int64_t *ret_moment);

/* Write RFC 3339 in UTC, to the microsecond. */
void moment_format(int64_t moment, char text[MOMENT_SIZE]);

#endif
