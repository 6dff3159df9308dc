/* UTF-8 (RFC 3629), a character at a time. */
#ifndef MQ_UTF8_H
#define MQ_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The character at `at`, of which `left` bytes (at least 1) may be read: its length, or 0 where it is not UTF-8. */
size_t utf8_decode(const unsigned char *at, size_t left, uint32_t *ret_code);

/* Whether a terminal may take it for an order: C0, DEL and C1. */
bool utf8_is_control(uint32_t code);

#endif
