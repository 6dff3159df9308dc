/* Building text from left to right. Each call writes at `at`, without a NUL, and returns the end of what it wrote. */
#ifndef MQ_PUT_H
#define MQ_PUT_H

#include <endian.h>
#include <stdint.h>
#include <string.h>

#include "base/swar.h"

static inline char *put_bytes(char *at, const void *bytes, size_t size)
{
    memcpy(at, bytes, size);
    return at + size;
}

static inline char *put_text(char *at, const char *text)
{
    return put_bytes(at, text, strlen(text));
}

/* The eight lower-case hexadecimal digits of a number as bytes of one word; the first digit is in the lowest byte. */
static inline uint64_t put_eight_hex(uint32_t value)
{
    uint64_t digits = __builtin_bswap32(value);
    digits = (digits | digits << 16) & UINT64_C(0x0000ffff0000ffff);
    digits = (digits | digits << 8) & UINT64_C(0x00ff00ff00ff00ff);
    digits = (digits >> 4 | digits << 8) & (SWAR_ONES * 0x0f);
    return digits + SWAR_ONES * '0' + ((digits + SWAR_ONES * 6) >> 4 & SWAR_ONES) * ('a' - '9' - 1);
}

/* Write the last `digits` hexadecimal digits of a number, at most 16, in lower case. */
static inline char *put_hex(char *at, uint64_t value, int digits)
{
    const uint64_t text[2] = {htole64(put_eight_hex((uint32_t)(value >> 32))), htole64(put_eight_hex((uint32_t)value))};
    return put_bytes(at, (const char *)text + sizeof text - (size_t)digits, (size_t)digits);
}

/* Write a number in decimal: at most 20 digits. */
static inline char *put_decimal(char *at, uint64_t value)
{
    char digits[20];
    int first = sizeof digits;
    do
        digits[--first] = (char)('0' + value % 10);
    while (value /= 10);
    return put_bytes(at, digits + first, sizeof digits - (size_t)first);
}

/* Write the last `width` decimal digits of a number. */
static inline char *put_digits(char *at, unsigned value, int width)
{
    for (int i = width; i-- > 0; value /= 10)
        at[i] = (char)('0' + value % 10);
    return at + width;
}

#endif
