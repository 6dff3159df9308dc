/*
 * SIMD within a register: text is examined eight bytes at a time, as one number.
 *
 * If no byte has its top bit set, all eight can be compared at once: a byte is at least c if its sum with 0x80 - c has
 * the top bit, and no sum carries into the next byte. If any byte has its top bit set, swar_are is false.
 */
#ifndef MQ_SWAR_H
#define MQ_SWAR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define SWAR_ONES UINT64_C(0x0101010101010101)
#define SWAR_TOP_BITS (SWAR_ONES * 0x80)

/* A number with the top bit of each byte that lies between `first` and `last`. */
static inline uint64_t swar_between(uint64_t eight, char first, char last)
{
    return (eight + SWAR_ONES * (uint64_t)(0x80 - first)) & ~(eight + SWAR_ONES * (uint64_t)(0x7f - last));
}

/* Whether all eight bytes are ASCII and have their top bit in `good`. */
static inline bool swar_are(uint64_t eight, uint64_t good)
{
    return (~eight & good & SWAR_TOP_BITS) == SWAR_TOP_BITS;
}

/* The same for each byte that is a letter, a digit or a dash. */
static inline uint64_t swar_are_words(uint64_t eight)
{
    return swar_between(eight | SWAR_ONES * 0x20, 'a', 'z') | swar_between(eight, '0', '9') |
           swar_between(eight, '-', '-');
}

/* The length of a good beginning of the text: `size` if all bytes are good, else a multiple of eight, up to the first
   bad byte at most. `are_good` must accept 'a'. */
static inline size_t swar_span(const char *text, size_t size, bool (*are_good)(uint64_t eight))
{
    uint64_t eight = SWAR_ONES * 'a';
    size_t at = 0;
    for (; size - at >= sizeof eight; at += sizeof eight) {
        memcpy(&eight, text + at, sizeof eight);
        if (!are_good(eight))
            return at;
    }
    if (size >= sizeof eight) /* the last eight bytes; some of them were examined before */
        memcpy(&eight, text + size - sizeof eight, sizeof eight);
    else
        memcpy(&eight, text, size);
    return are_good(eight) ? size : at;
}

#endif
