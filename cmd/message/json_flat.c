/* Flat objects of JSON. */
#include "message/json_flat.h"

#include <stdint.h>
#include <string.h>

#include "base/utf8.h"
#include "message/json_plain.h"

#define DIGITS_MOST 15 /* so that a double holds the number exactly */

struct scan {
    const char *at, *end;
    struct json_members *headers; /* NULL: they are being read */
};

static void skip_blanks(struct scan *scan)
{
    while (scan->at < scan->end && (*scan->at == ' ' || *scan->at == '\t' || *scan->at == '\r' || *scan->at == '\n'))
        scan->at++;
}

/* Skip blanks and this character. */
static inline bool take(struct scan *scan, char wanted)
{
    if (scan->at < scan->end && *scan->at != wanted)
        skip_blanks(scan);
    if (scan->at == scan->end || *scan->at != wanted)
        return false;
    scan->at++;
    return true;
}

/* ---- strings ------------------------------------------------------------------------- */

/* The value of four hexadecimal digits; -1: they are not four, or half of a pair that stands for one character. */
static int32_t parse_unit(const char *at, const char *end)
{
    int32_t unit = 0;
    if (end - at < 4)
        return -1;
    for (int i = 0; i < 4; i++) {
        const char digit = (char)(at[i] | ('a' ^ 'A'));
        if (at[i] >= '0' && at[i] <= '9')
            unit = unit << 4 | (at[i] - '0');
        else if (digit >= 'a' && digit <= 'f')
            unit = unit << 4 | (digit - 'a' + 10);
        else
            return -1;
    }
    return unit >= 0xD800 && unit <= 0xDFFF ? -1 : unit;
}

/* The length of the escape that begins with the backslash at `at`; 0: it is unusual or malformed. */
static size_t escape_length(const char *at, const char *end)
{
    if (end - at < 2)
        return 0;
    if (at[1] == 'u')
        return parse_unit(at + 2, end) >= 0 ? 6 : 0;
    return at[1] && strchr("\"\\/bfnrt", at[1]) ? 2 : 0;
}

/* Find the end of the string that begins at the quote. `ret_size` is the length as it is written, `ret_is_escaped` tells
   whether that differs from its meaning. */
static bool scan_string(struct scan *scan, const char **ret_text, size_t *ret_size, bool *ret_is_escaped)
{
    if (!take(scan, '"'))
        return false;
    const char *at = scan->at;
    *ret_is_escaped = false;
    for (;;) {
        uint32_t code;
        size_t length;
        at += json_plain_length(at, scan->end);
        if (at == scan->end)
            return false;
        if (*at == '"')
            break;
        if (*at == '\\') {
            length = escape_length(at, scan->end);
            *ret_is_escaped = true;
        } else {
            length = (unsigned char)*at < 0x80
                         ? 0
                         : utf8_decode((const unsigned char *)at, (size_t)(scan->end - at), &code);
        }
        if (length == 0)
            return false;
        at += length;
    }
    *ret_text = scan->at;
    *ret_size = (size_t)(at - scan->at);
    scan->at = at + 1;
    return true;
}

static char *put_utf8(char *to, uint32_t code)
{
    if (code < 0x80) {
        *to++ = (char)code;
    } else if (code < 0x800) {
        *to++ = (char)(0xC0 | code >> 6);
        *to++ = (char)(0x80 | (code & 0x3F));
    } else {
        *to++ = (char)(0xE0 | code >> 12);
        *to++ = (char)(0x80 | (code >> 6 & 0x3F));
        *to++ = (char)(0x80 | (code & 0x3F));
    }
    return to;
}

/* Unescape a string in its place, where it never gets longer. Returns its length. */
static size_t unescape(char *text, size_t size)
{
    static const char escapes[] = "\"\\/bfnrt", meanings[] = "\"\\/\b\f\n\r\t";
    const char *const end = text + size;
    char *to = text;
    for (const char *at = text; at < end;) {
        if (*at != '\\') {
            *to++ = *at++;
        } else if (at[1] == 'u') {
            to = put_utf8(to, (uint32_t)parse_unit(at + 2, end));
            at += 6;
        } else {
            *to++ = meanings[strchr(escapes, at[1]) - escapes];
            at += 2;
        }
    }
    return (size_t)(to - text);
}

/* ---- values -------------------------------------------------------------------------- */

static bool scan_number(struct scan *scan, double *ret_number)
{
    uint64_t number = 0;
    const char *const begin = scan->at;
    for (; scan->at < scan->end && *scan->at >= '0' && *scan->at <= '9'; scan->at++)
        number = number * 10 + (uint64_t)(*scan->at - '0');
    const size_t digits = (size_t)(scan->at - begin);
    if (digits == 0 || digits > DIGITS_MOST || (digits > 1 && *begin == '0'))
        return false;
    *ret_number = (double)number;
    return true; /* a fraction or an exponent is found instead of the next comma */
}

static bool is_named(const struct json_member *member, const char *name, size_t size)
{
    return member->name_size == size && memcmp(member->name, name, size) == 0;
}

static bool scan_members(struct scan *scan, struct json_members *members);

/* A string is noted as it is written. */
static bool scan_value(struct scan *scan, struct json_member *member)
{
    skip_blanks(scan);
    if (scan->at == scan->end)
        return false;
    if (*scan->at == '"') {
        member->type = JSON_STRING;
        return scan_string(scan, &member->text, &member->size, &member->is_escaped);
    }
    if (*scan->at == '{') {
        struct json_members *const headers = scan->headers;
        member->type = JSON_OBJECT;
        scan->headers = NULL;
        return headers && is_named(member, "headers", 7) && scan_members(scan, headers);
    }
    member->type = JSON_REAL;
    return !is_named(member, "body", 4) && scan_number(scan, &member->number); /* the text of a body is still needed */
}

static bool is_repeated(const struct json_members *members, const char *name, size_t size)
{
    for (size_t i = 0; i < members->count; i++)
        if (is_named(&members->all[i], name, size))
            return true;
    return false;
}

static bool scan_members(struct scan *scan, struct json_members *members)
{
    bool is_escaped;
    const char *name;
    size_t size;
    members->count = 0;
    if (!take(scan, '{'))
        return false;
    if (take(scan, '}'))
        return true;
    do {
        if (members->count == members->room || !scan_string(scan, &name, &size, &is_escaped) || is_escaped ||
            is_repeated(members, name, size) || !take(scan, ':'))
            return false;
        struct json_member *const member = &members->all[members->count++];
        *member = (struct json_member){.name = name, .name_size = size};
        if (!scan_value(scan, member))
            return false;
    } while (take(scan, ','));
    return take(scan, '}');
}

/* ---- the object ---------------------------------------------------------------------- */

static char *writable(const char *text)
{
    return (char *)(uintptr_t)text;
}

static void finish(struct json_members *members)
{
    for (size_t i = 0; i < members->count; i++) {
        struct json_member *const member = &members->all[i];
        writable(member->name)[member->name_size] = '\0';
        if (member->is_escaped)
            member->size = unescape(writable(member->text), member->size);
        if (member->text)
            writable(member->text)[member->size] = '\0';
    }
}

bool json_flat_read(char *text, size_t size, struct json_members *ret_members, struct json_members *ret_headers)
{
    struct scan scan = {.at = text, .end = text + size, .headers = ret_headers};
    ret_headers->count = 0;
    if (!scan_members(&scan, ret_members))
        return false;
    skip_blanks(&scan);
    if (scan.at != scan.end)
        return false;
    finish(ret_members);
    finish(ret_headers);
    return true;
}
