/*
 * Numbers in names: a fixed number of lower-case hexadecimal digits, so that sorting names as bytes sorts them by
 * number. put.h writes them.
 */
#ifndef MQ_DIGITS_H
#define MQ_DIGITS_H

#include <stddef.h>
#include <stdint.h>

#define WORD_DIGITS 16 /* of 64 bits */

/* Parse exactly `digits` digits. Returns the text behind them, or NULL and leaves `ret_value` untouched. */
static inline const char *parse_hex(const char *text, int digits, uint64_t *ret_value)
{
    uint64_t value = 0;
    for (int i = 0; i < digits; i++) {
        const char c = text[i];
        if (c >= '0' && c <= '9')
            value = value << 4 | (uint64_t)(c - '0');
        else if (c >= 'a' && c <= 'f')
            value = value << 4 | (uint64_t)(c - 'a' + 10);
        else
            return NULL;
    }
    *ret_value = value;
    return text + digits;
}

#endif
