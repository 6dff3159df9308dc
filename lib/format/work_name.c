/* The names of what is no message. */
#include "format/work_name.h"

#include <string.h>

#include "base/put.h"
#include "format/digits.h"

#define TIME_DIGITS 13

/* Process numbers are below 2^22 on Linux. */
#define WAITER_BITS 42

/* Whether a text is a prefix of 7 bytes followed by 16 digits. */
static bool parse_random_name(const char *text, const char *prefix, uint64_t *ret_random)
{
    if (strncmp(text, prefix, 7) != 0)
        return false;
    const char *end = parse_hex(text + 7, WORD_DIGITS, ret_random);
    return end && *end == '\0';
}

uint64_t name_waiter_number(uint32_t process, uint64_t bits)
{
    return (uint64_t)process << WAITER_BITS | (bits & ((UINT64_C(1) << WAITER_BITS) - 1));
}

uint32_t name_waiter_process(uint64_t number)
{
    return (uint32_t)(number >> WAITER_BITS);
}

void name_format_waiter(uint64_t number, char text[NAME_WAITER_SIZE])
{
    *put_hex(put_text(text, "waiter-"), number, WORD_DIGITS) = '\0';
}

bool name_parse_waiter(const char *text, uint64_t *ret_number)
{
    return parse_random_name(text, "waiter-", ret_number);
}

bool name_is_waiter(const char *text)
{
    uint64_t number;
    return name_parse_waiter(text, &number);
}

void name_format_new_bucket(uint64_t random, char text[NAME_NEW_BUCKET_SIZE])
{
    *put_hex(put_text(text, "bucket-"), random, WORD_DIGITS) = '\0';
}

bool name_is_new_bucket(const char *text)
{
    uint64_t random;
    return parse_random_name(text, "bucket-", &random);
}

/* ---- done -------------------------------------------------------------------------- */

int64_t name_done_width(int64_t window)
{
    int64_t width = 1;
    while (width < window && width <= NAME_TIME_MAX / 2)
        width *= 2;
    return width;
}

void name_format_done_bucket(int64_t moment, int64_t window, char text[NAME_BUCKET_SIZE])
{
    *put_hex(text, (uint64_t)(moment - moment % name_done_width(window)), TIME_DIGITS) = '\0';
}

bool name_parse_done_bucket(const char *text, int64_t *ret_start)
{
    uint64_t start;
    const char *end = parse_hex(text, TIME_DIGITS, &start);
    if (!end || *end)
        return false;
    *ret_start = (int64_t)start;
    return true;
}
