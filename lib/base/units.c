/* Durations and sizes as people write them. */
#include "base/units.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

struct unit {
    const char *suffix;
    uint64_t factor;
};

/* The largest unit comes first: formatting takes the first that divides the value. */
static const struct unit duration_units[] = {
    {"d", 86400000000}, {"h", 3600000000}, {"m", 60000000}, {"s", 1000000}, {"ms", 1000}, {"us", 1},
};
static const struct unit size_units[] = {
    {"T", 1ULL << 40}, {"G", 1ULL << 30}, {"M", 1ULL << 20}, {"K", 1ULL << 10}, {"", 1},
};

#define COUNT(array) (sizeof(array) / sizeof *(array))

/* Parse digits. Returns the text behind them; NULL: there are none, or the number is too large. */
static const char *parse_digits(const char *text, uint64_t *ret_value)
{
    uint64_t value = 0;
    const char *at = text;
    for (; *at >= '0' && *at <= '9'; at++)
        if (__builtin_mul_overflow(value, 10, &value) || __builtin_add_overflow(value, (uint64_t)(*at - '0'), &value))
            return NULL;
    if (at == text)
        return NULL;
    *ret_value = value;
    return at;
}

__extension__ typedef unsigned __int128 wide;

/* Parse ".25" as a part of `factor`, rounded down. Returns the text behind it. No factor has more than 13 digits, so
   the product fits. */
static const char *parse_fraction(const char *text, uint64_t factor, uint64_t *ret_value)
{
    wide digits = 0;
    uint64_t scale = 1;
    const char *at = text + 1;
    for (; *at >= '0' && *at <= '9'; at++)
        if (scale < UINT64_C(1000000000000000000)) {
            digits = digits * 10 + (unsigned)(*at - '0');
            scale *= 10;
        }
    if (at == text + 1)
        return NULL;
    *ret_value = (uint64_t)(digits * factor / scale);
    return at;
}

static const struct unit *find_unit(const struct unit *units, size_t count, const char *suffix)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(units[i].suffix, suffix) == 0)
            return &units[i];
    return NULL;
}

static bool parse_quantity(const char *text, const struct unit *units, size_t count, const char *bare,
                           uint64_t *ret_value)
{
    uint64_t whole, fraction = 0, value;
    const char *end = parse_digits(text, &whole);
    if (!end && *text == '.') { /* as in .5s */
        end = text;
        whole = 0;
    }
    if (!end)
        return false;
    const char *suffix = end[0] == '.' ? end + 1 + strspn(end + 1, "0123456789") : end;
    const struct unit *unit = find_unit(units, count, *suffix ? suffix : bare);
    if (!unit || (*end == '.' && !parse_fraction(end, unit->factor, &fraction)))
        return false;
    if (__builtin_mul_overflow(whole, unit->factor, &value) || __builtin_add_overflow(value, fraction, &value) ||
        value > INT64_MAX)
        return false;
    *ret_value = value;
    return true;
}

bool units_parse_duration(const char *text, int64_t *ret_microseconds)
{
    uint64_t value;
    if (!parse_quantity(text, duration_units, COUNT(duration_units), "s", &value) || value > UNITS_DURATION_MAX)
        return false;
    *ret_microseconds = (int64_t)value;
    return true;
}

bool units_parse_size(const char *text, uint64_t *ret_bytes)
{
    return parse_quantity(text, size_units, COUNT(size_units), "", ret_bytes);
}

bool units_parse_number(const char *text, uint64_t max, uint64_t *ret_number)
{
    uint64_t value;
    const char *end = parse_digits(text, &value);
    if (!end || *end || value > max)
        return false;
    *ret_number = value;
    return true;
}

static void format_quantity(uint64_t value, const struct unit *units, char text[UNITS_TEXT_SIZE])
{
    const struct unit *unit = units;
    while (value % unit->factor != 0 || (value == 0 && unit->factor > 1))
        unit++;
    snprintf(text, UNITS_TEXT_SIZE, "%" PRIu64 "%s", value / unit->factor, unit->suffix);
}

void units_format_duration(int64_t microseconds, char text[UNITS_TEXT_SIZE])
{
    if (microseconds == 0)
        memcpy(text, "0s", 3);
    else
        format_quantity((uint64_t)microseconds, duration_units, text);
}

void units_format_size(uint64_t bytes, char text[UNITS_TEXT_SIZE])
{
    format_quantity(bytes, size_units, text);
}
