/*
 * How many messages an entry of a log holds: what its first bytes say, so that nobody has to read it whole to know which
 * entry comes next.
 *
 *     Mq-Count: 256              256 messages follow, as in any file of several (batch.h)
 *     Id: 01937b1e-…             a message; there is only this one
 *
 * The line of the count belongs to no message: headers.c leaves it out. A count that is followed by an empty line is a gap:
 * an entry of no messages, which takes so many offsets.
 *
 *     end = log_entry_put_count(text);               room for a count, before the first message
 *     …
 *     log_entry_set_count(text, count);
 *     head = log_entry_parse(text, size);
 */
#ifndef MQ_LOG_ENTRY_H
#define MQ_LOG_ENTRY_H

#include <stddef.h>
#include <stdint.h>

enum log_entry_kind { LOG_ENTRY_MESSAGES, LOG_ENTRY_GAP, LOG_ENTRY_CORRUPT };

struct log_entry_head {
    enum log_entry_kind kind;
    uint64_t count; /* of messages, or of the offsets that a gap takes; 0: it is corrupt, and nothing tells */
};

#define LOG_ENTRY_HEAD 48       /* bytes that log_entry_parse wants to see, or all */
#define LOG_ENTRY_COUNT_LINE 15 /* bytes of the line of a count of messages */

char *log_entry_put_count(char *to);
void log_entry_set_count(char *begin, uint32_t count);

/* Write the text of a gap. Returns its size. */
size_t log_entry_put_gap(uint64_t count, char ret_text[LOG_ENTRY_HEAD]);

struct log_entry_head log_entry_parse(const char *text, size_t size);

/* How many bytes the line of a count takes at the beginning of this text: 0 if there is none. */
size_t log_entry_skip_count(const char *text, size_t size);

#endif
