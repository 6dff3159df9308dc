/*
 * Durations and sizes as people write them: "500ms", "1.5h", "7d"; "64K", "2G".
 *
 *     int64_t wait;
 *     if (!units_parse_duration("30s", &wait)) ...
 *
 * A duration is in microseconds; a number without a unit is in seconds. A size is in bytes; K, M, G and T are powers of
 * 1024. Sizes are less than 2^63. Durations are at most about 142 years, the longest time that a message's name can
 * express, so that a moment and a duration can be added without overflow.
 *
 * Errors. The parsers return false for text that is empty, negative, too large or has an unknown unit, and leave the
 * result untouched then.
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

/* Exact text, which parses to the same value: a whole number of the largest unit possible. */
void units_format_duration(int64_t microseconds, char text[UNITS_TEXT_SIZE]);
void units_format_size(uint64_t bytes, char text[UNITS_TEXT_SIZE]);

#endif
