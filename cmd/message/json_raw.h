/* The text of a member's value as it was written. Decoding would change the form of numbers, and lose digits beyond
   those of a double. */
#ifndef JSON_RAW_H
#define JSON_RAW_H

#include <stddef.h>

/* Copy the value of this member, without the blanks between its parts, to `ret_value`, which has room for `size` bytes.
   The text is an object in valid JSON. Returns the length; 0: there is no such member. */
size_t json_raw_member(const char *text, size_t size, const char *name, char *ret_value);

#endif
