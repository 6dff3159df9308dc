/*
 * Text looked at eight bytes at a time, in one number.
 *
 * Bytes without a top bit can be compared all at once: a byte is at least c where its sum with 0x80 - c has the top bit,
 * and no sum runs over into the next byte. Where a byte has its top bit set, none counts as good.
 */
#ifndef MQ_EIGHT_H
#define MQ_EIGHT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define SWAR_ONES UINT64_C(0x0101010101010101)
#define EIGHT_TOP_BITS (SWAR_ONES * 0x80)

/* Where there is one of these characters, as top bits. */
static inline uint64_t swar_between(uint64_t eight, char first, char last)
{
    return (eight + SWAR_ONES * (uint64_t)(0x80 - first)) & ~(eight + SWAR_ONES * (uint64_t)(0x7f - last));
}

/* Whether the top bits say that all of them are good. */
static inline bool swar_are(uint64_t eight, uint64_t good)
{
    return (~eight & good & EIGHT_TOP_BITS) == EIGHT_TOP_BITS;
}

/* Letters, digits and dashes, as top bits. */
static inline uint64_t swar_are_words(uint64_t eight)
{
    return swar_between(eight | SWAR_ONES * 0x20, 'a', 'z') | swar_between(eight, '0', '9') |
           swar_between(eight, '-', '-');
}

/* How many of the first bytes are good, in whole eights, or all; 'a' must be good. */
static inline size_t swar_span(const char *text, size_t size, bool (*are_good)(uint64_t eight))
{
    uint64_t eight = SWAR_ONES * 'a';
    size_t at = 0;
    for (; size - at >= sizeof eight; at += sizeof eight) {
        memcpy(&eight, text + at, sizeof eight);
        if (!are_good(eight))
            return at;
    }
    if (size >= sizeof eight) /* some of them once more */
        memcpy(&eight, text + size - sizeof eight, sizeof eight);
    else
        memcpy(&eight, text, size);
    return are_good(eight) ? size : at;
}

#endif
