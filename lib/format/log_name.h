/*
 * The grammar of names in a log; no I/O. Nothing else knows it.
 *
 *     log/BUCKET/OFFSET       an entry: 13 hexadecimal digits, and 16
 *     begin/OFFSET            the beginning
 *     removed/BUCKET.RANDOM   a bucket that was taken out of the log
 *
 * An entry is named by the offset of its first message, and lies in the bucket of that offset.
 */
#ifndef MQ_LOG_NAME_H
#define MQ_LOG_NAME_H

#include <stdbool.h>
#include <stdint.h>

#define LOG_BUCKET_BITS 12
#define LOG_OFFSET_MAX (UINT64_MAX >> 1) /* of the end of a log */
#define LOG_NAME_SIZE 32                 /* of any of the names and its NUL */

static inline uint64_t log_bucket_of(uint64_t offset)
{
    return offset >> LOG_BUCKET_BITS;
}

/* Parsing returns false for any text that formatting cannot have made. */
void log_name_format(uint64_t offset, char ret_name[LOG_NAME_SIZE]);
bool log_name_parse(const char *text, uint64_t *ret_offset);
void log_name_format_bucket(uint64_t bucket, char ret_name[LOG_NAME_SIZE]);
bool log_name_parse_bucket(const char *text, uint64_t *ret_bucket);
void log_name_format_removed(uint64_t bucket, uint64_t random, char ret_name[LOG_NAME_SIZE]);
bool log_name_parse_removed(const char *text, uint64_t *ret_bucket);

#endif
