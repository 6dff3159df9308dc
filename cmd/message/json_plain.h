/* Characters that stand for themselves in a string of JSON. */
#ifndef JSON_PLAIN_H
#define JSON_PLAIN_H

#include <endian.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "base/swar.h"

static inline bool json_is_plain(char byte)
{
    return (unsigned char)byte >= ' ' && (unsigned char)byte < 0x80 && byte != '"' && byte != '\\';
}

/* How many bytes from `at` on are ASCII and stand for themselves. */
static inline size_t json_plain_length(const char *at, const char *end)
{
    const char *const begin = at;
    for (uint64_t eight; (size_t)(end - at) >= sizeof eight; at += sizeof eight) {
        memcpy(&eight, at, sizeof eight);
        eight = le64toh(eight);
        const uint64_t others = SWAR_TOP_BITS & (swar_between(eight, '"', '"') | swar_between(eight, '\\', '\\') |
                                                 ~swar_between(eight, ' ', 0x7f) | eight);
        /* A byte with its top bit set may spoil the result for those after it, but not for those before it. */
        if (others)
            return (size_t)(at - begin) + (size_t)__builtin_ctzll(others) / 8;
    }
    while (at < end && json_is_plain(*at))
        at++;
    return (size_t)(at - begin);
}

#endif
