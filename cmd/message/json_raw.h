/*
 * The text of a member's value as it was written. What JSON is decoded to loses the form of its numbers, and the
 * numbers that have more digits than a double.
 */
#ifndef JSON_RAW_H
#define JSON_RAW_H

#include <stddef.h>

/* Copy the value of this member of an object that is valid JSON, without the blanks between its parts, to `ret_value`,
   which has room for `size` bytes. How long it is; 0: there is no such member. */
size_t json_raw_member(const char *text, size_t size, const char *name, char *ret_value);

#endif
