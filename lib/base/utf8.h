/* UTF-8 (RFC 3629), a character at a time. */
#ifndef MQ_UTF8_H
#define MQ_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Decode the character at `at`; at least one byte and at most `left` bytes are read. Returns its length, or 0 if it is
   not UTF-8. */
size_t utf8_decode(const unsigned char *at, size_t left, uint32_t *ret_code);

/* Whether a character is a control character, which a terminal may obey: C0, DEL or C1. */
bool utf8_is_control(uint32_t code);

#endif
