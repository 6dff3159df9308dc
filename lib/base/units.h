/*
 * Durations and sizes as people write them: "500ms", "1.5h", "7d"; "64K", "2G".
 *
 *     int64_t wait;
 *     if (!units_parse_duration("30s", &wait)) ...
 *
 * Durations are microseconds, a bare number is seconds; sizes are bytes, K M G T count in 1024s.
 * The parsers refuse what is negative, empty, unknown or too large, and leave the result
 * untouched then: a size is below 2^63, and a duration is no longer than the names of messages can tell, about 142 years,
 * so that any moment that a clock shows and any duration can be added.
 */
#ifndef MQ_UNITS_H
#define MQ_UNITS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define UNITS_TEXT_SIZE 32
#define UNITS_DURATION_MAX ((INT64_C(1) << 52) - 1) /* NAME_TIME_MAX */

bool units_parse_duration(const char *text, int64_t *ret_microseconds);
bool units_parse_size(const char *text, uint64_t *ret_bytes);

/* A decimal number of at most `max`, without sign. */
bool units_parse_number(const char *text, uint64_t max, uint64_t *ret_number);

/* Exact text that parses back: the largest unit that divides the value. */
void units_format_duration(int64_t microseconds, char text[UNITS_TEXT_SIZE]);
void units_format_size(uint64_t bytes, char text[UNITS_TEXT_SIZE]);

#endif
