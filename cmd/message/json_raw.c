/* The text of a member in JSON. */
#include "message/json_raw.h"

#include <jansson.h>
#include <stdbool.h>
#include <string.h>

/* Returns the end of the string that begins at `at`. */
static const char *skip_string(const char *at)
{
    for (at++; *at != '"'; at++)
        at += *at == '\\';
    return at + 1;
}

static const char *skip_blanks(const char *at, const char *end)
{
    while (at < end && strchr(" \t\r\n", *at))
        at++;
    return at;
}

static bool is_string(const char *at, const char *end, const char *wanted)
{
    json_t *string = json_loadb(at, (size_t)(end - at), JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
    const bool is = string && json_string_length(string) == strlen(wanted) &&
                    strcmp(json_string_value(string), wanted) == 0;
    json_decref(string);
    return is;
}

/* Copy one value without blanks to `to`, or skip it if `to` is NULL. Returns the comma or bracket behind it. */
static const char *take_value(const char *at, const char *end, char *to, size_t *ret_size)
{
    char *const first = to;
    size_t depth = 0;
    while ((at = skip_blanks(at, end)) < end && (depth > 0 || !strchr(",}]", *at))) {
        const char *const next = *at == '"' ? skip_string(at) : at + 1;
        depth += *at == '{' || *at == '[';
        depth -= *at == '}' || *at == ']';
        if (to)
            to = mempcpy(to, at, (size_t)(next - at));
        at = next;
    }
    *ret_size = (size_t)(to - first);
    return at;
}

size_t json_raw_member(const char *text, size_t size, const char *name, char *ret_value)
{
    const char *const end = text + size;
    const char *at = skip_blanks(text, end);
    size_t length;
    while (at < end && (*at == '{' || *at == ',')) {
        const char *const key = skip_blanks(at + 1, end);
        if (key == end || *key != '"')
            break;
        const char *const colon = skip_blanks(skip_string(key), end);
        const bool is = is_string(key, skip_string(key), name);
        at = take_value(colon + 1, end, is ? ret_value : NULL, &length);
        if (is)
            return length;
    }
    return 0;
}
