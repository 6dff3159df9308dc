/* Base64. */
#include "text/base64.h"

#include <stdint.h>
#include <string.h>

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=";

/* Encode up to three bytes as four characters. */
static void encode_group(const unsigned char *from, size_t size, char *to)
{
    uint32_t bits = (uint32_t)from[0] << 16;
    if (size > 1)
        bits |= (uint32_t)from[1] << 8;
    if (size > 2)
        bits |= from[2];
    for (size_t i = 0; i < 4; i++)
        to[i] = digits[i <= size ? bits >> (18 - 6 * i) & 63 : 64];
}

void base64_encode(const void *data, size_t size, char *ret_text)
{
    const unsigned char *from = data;
    for (; size > 3; size -= 3, from += 3, ret_text += 4)
        encode_group(from, 3, ret_text);
    if (size > 0)
        encode_group(from, size, ret_text);
}

static bool decode_digit(char c, uint32_t *ret_digit)
{
    const char *digit = c && c != '=' ? strchr(digits, c) : NULL;
    if (!digit)
        return false;
    *ret_digit = (uint32_t)(digit - digits);
    return true;
}

/* Decode four characters; the last `padding` of them are '='. Bits that belong to no byte must be 0. */
static bool decode_group(const char *text, size_t padding, unsigned char *to)
{
    uint32_t bits = 0;
    for (size_t i = 0; i < 4; i++) {
        uint32_t digit = 0;
        if (i < 4 - padding && !decode_digit(text[i], &digit))
            return false;
        bits = bits << 6 | digit;
    }
    for (size_t i = 0; i < 3 - padding; i++)
        to[i] = (unsigned char)(bits >> (16 - 8 * i));
    return (bits & ((1U << (8 * padding)) - 1)) == 0;
}

bool base64_decode(const char *text, size_t size, void *ret_data, size_t *ret_size)
{
    unsigned char *to = ret_data;
    if (size % 4 != 0)
        return false;
    const size_t padding = size == 0 || text[size - 1] != '=' ? 0 : text[size - 2] == '=' ? 2 : 1;
    for (size_t i = 0; i < size; i += 4, to += 3)
        if (!decode_group(text + i, i + 4 == size ? padding : 0, to))
            return false;
    *ret_size = size / 4 * 3 - padding;
    return true;
}
