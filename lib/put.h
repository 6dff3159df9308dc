/* Building text from left to right: each call writes at `at`, without a NUL, and returns the place behind. */
#ifndef MQ_PUT_H
#define MQ_PUT_H

#include <stdint.h>
#include <string.h>

static inline char *put_bytes(char *at, const void *bytes, size_t size)
{
    memcpy(at, bytes, size);
    return at + size;
}

static inline char *put_text(char *at, const char *text)
{
    return put_bytes(at, text, strlen(text));
}

/* The low `digits` hexadecimal digits, lower case. */
static inline char *put_hex(char *at, uint64_t value, int digits)
{
    for (int i = digits - 1; i >= 0; i--, value >>= 4)
        at[i] = "0123456789abcdef"[value & 15];
    return at + digits;
}

/* Up to 20 digits. */
static inline char *put_decimal(char *at, uint64_t value)
{
    char digits[20];
    int first = sizeof digits;
    do
        digits[--first] = (char)('0' + value % 10);
    while (value /= 10);
    return put_bytes(at, digits + first, sizeof digits - (size_t)first);
}

#endif
