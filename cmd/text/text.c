/* Untrusted text. */
#include "text/text.h"

#include "base/swar.h"
#include "base/utf8.h"
#include <stdint.h>
#include <stdio.h>
#include <string.h>

static bool are_ascii(uint64_t eight)
{
    return !(eight & SWAR_TOP_BITS);
}

bool text_is_utf8(const void *data, size_t size)
{
    const unsigned char *at = data, *const end = at + size;
    uint32_t code;
    for (at += swar_span(data, size, are_ascii); at < end;) {
        const size_t length = utf8_decode(at, (size_t)(end - at), &code);
        if (length == 0)
            return false;
        at += length;
    }
    return true;
}

size_t text_whole(const void *data, size_t size)
{
    const unsigned char *bytes = data;
    for (size_t tail = 1; tail <= 3 && tail <= size; tail++) {
        const unsigned char byte = bytes[size - tail];
        if (byte < 0x80)
            break;
        if (byte >= 0xC0) {
            const size_t length = byte >= 0xF0 ? 4 : byte >= 0xE0 ? 3 : 2;
            return length > tail ? size - tail : size;
        }
    }
    return size;
}

static size_t escape_byte(unsigned char byte, char *to)
{
    static const char digits[] = "0123456789abcdef", plain[] = "\n\t\r", letters[] = "ntr";
    const char *short_form = byte ? strchr(plain, byte) : NULL;
    to[0] = '\\';
    if (short_form) {
        to[1] = letters[short_form - plain];
        return 2;
    }
    to[1] = 'x';
    to[2] = digits[byte >> 4];
    to[3] = digits[byte & 15];
    return 4;
}

static bool may_stay(const unsigned char *at, size_t length, uint32_t code, const char *keep)
{
    return length > 0 && (!utf8_is_control(code) || (*at && strchr(keep, *at)));
}

size_t text_escape(const void *data, size_t size, const char *keep, char *ret_text)
{
    const unsigned char *at = data, *const end = at + size;
    char *to = ret_text;
    while (at < end) {
        uint32_t code = 0;
        const size_t length = utf8_decode(at, (size_t)(end - at), &code);
        if (may_stay(at, length, code, keep)) {
            memcpy(to, at, length);
            to += length;
            at += length;
        } else {
            to += escape_byte(*at++, to);
        }
    }
    *to = '\0';
    return (size_t)(to - ret_text);
}

void text_list(char *list, size_t size, const char *name)
{
    const size_t length = strlen(list);
    snprintf(list + length, size - length, "%s%s", length ? ", " : "", name);
}

/* The columns of a character, exact enough for tables. wcwidth would need a locale, which takes time at every start. */
static size_t columns_of(uint32_t code)
{
    static const struct {
        uint32_t first, last;
    } wide[] = {{0x1100, 0x115F}, {0x2E80, 0xA4CF}, {0xAC00, 0xD7A3},   {0xF900, 0xFAFF},  {0xFE30, 0xFE6F},
                {0xFF00, 0xFF60}, {0xFFE0, 0xFFE6}, {0x1F300, 0x1FAFF}, {0x20000, 0x3FFFD}};
    if (code >= 0x300 && code <= 0x36F)
        return 0;
    for (size_t i = 0; i < sizeof wide / sizeof *wide; i++)
        if (code >= wide[i].first && code <= wide[i].last)
            return 2;
    return 1;
}

static size_t measure(const char *text, size_t most, size_t *ret_bytes)
{
    const unsigned char *at = (const unsigned char *)text;
    size_t columns = 0, left = strlen(text);
    while (left > 0) {
        uint32_t code = 0;
        const size_t length = utf8_decode(at, left, &code), width = columns_of(code);
        if (columns + width > most)
            break;
        columns += width;
        at += length ? length : 1;
        left -= length ? length : 1;
    }
    *ret_bytes = (size_t)(at - (const unsigned char *)text);
    return columns;
}

size_t text_columns(const char *text)
{
    size_t bytes;
    return measure(text, SIZE_MAX, &bytes);
}

size_t text_fit(const char *text, size_t columns)
{
    size_t bytes;
    (void)measure(text, columns, &bytes);
    return bytes;
}
