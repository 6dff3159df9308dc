/*
 * Messages that share their headers: a file begins with headers that all of them have, and behind these come their bodies,
 * each ended by a separator that is in none of them.
 *
 *     Mq-Separator: newline          or null; always the first
 *     Id: 01937b1e-8c5a-7d31-b2f0-6b1f0c9f4a11
 *     …
 *     Content-Length: 4              of all that follows; always the last
 *
 *     a
 *     b
 *
 * The id is that of the first message; that of each other is one more (id.h), and names say it.
 */
#ifndef MQ_SHARED_H
#define MQ_SHARED_H

#include "base/id.h"
#include "format/message.h"

struct shared_headers {
    char separator;
    char *headers;               /* as a message has them, in the text that they were taken from */
    char *id, *length;           /* in there: the values that differ from message to message; the length is the last */
    char first_id[ID_UUID_SIZE]; /* of the first message */
    uint64_t begin, end;         /* of the bodies, in the file */
};

/* Whether a file that begins with this text is of that kind, or the file is. */
bool shared_headers_begins(const char *text, size_t size);
int shared_headers_is(int file); /* 1, 0, or a negative errno */

/* Write the header of a separator, a newline or a NUL. The end of what was written. */
char *shared_headers_put_separator(char *at, char separator);

/* Take the headers at the beginning of a file apart, in place: the text must outlive what is shown of it. -EBADMSG:
   malformed. */
int shared_headers_take(char *text, size_t size, struct shared_headers *ret_shared);

/* Whether an id may be that of one of the messages, or is that of the first. */
bool shared_headers_may_have(const struct shared_headers *shared, const char *id, bool first);

/* Let a message show them as its own, in the same memory: until the next is shown. */
void shared_headers_show(const struct shared_headers *shared, const char *id, uint64_t body_size, mq_message *message);

#endif
