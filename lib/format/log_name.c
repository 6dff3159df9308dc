/* The grammar of names in a log. */
#include "format/log_name.h"

#include "base/put.h"
#include "format/digits.h"

#define BUCKET_DIGITS 13 /* 16 without those of the places in it */

void log_name_format(uint64_t offset, char ret_name[LOG_NAME_SIZE])
{
    *put_hex(ret_name, offset, WORD_DIGITS) = '\0';
}

bool log_name_parse(const char *text, uint64_t *ret_offset)
{
    uint64_t offset;
    const char *end = parse_hex(text, WORD_DIGITS, &offset);
    if (!end || *end || offset > LOG_OFFSET_MAX)
        return false;
    *ret_offset = offset;
    return true;
}

void log_name_format_bucket(uint64_t bucket, char ret_name[LOG_NAME_SIZE])
{
    *put_hex(ret_name, bucket, BUCKET_DIGITS) = '\0';
}

bool log_name_parse_bucket(const char *text, uint64_t *ret_bucket)
{
    uint64_t bucket;
    const char *end = parse_hex(text, BUCKET_DIGITS, &bucket);
    if (!end || *end || bucket > log_bucket_of(LOG_OFFSET_MAX))
        return false;
    *ret_bucket = bucket;
    return true;
}

void log_name_format_removed(uint64_t bucket, uint64_t random, char ret_name[LOG_NAME_SIZE])
{
    char *end = put_hex(ret_name, bucket, BUCKET_DIGITS);
    *end++ = '.';
    *put_hex(end, random, WORD_DIGITS) = '\0';
}

bool log_name_parse_removed(const char *text, uint64_t *ret_bucket)
{
    uint64_t bucket, random;
    const char *end = parse_hex(text, BUCKET_DIGITS, &bucket);
    end = end && *end == '.' ? parse_hex(end + 1, WORD_DIGITS, &random) : 0;
    if (!end || *end || bucket > log_bucket_of(LOG_OFFSET_MAX))
        return false;
    *ret_bucket = bucket;
    return true;
}
