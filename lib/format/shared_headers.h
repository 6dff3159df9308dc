/*
 * Messages that share their headers. The file begins with one block of headers, which all its messages have. Behind it
 * come the bodies, each followed by a separator that occurs in none of them.
 *
 *     Mq-Separator: newline          or null; always the first
 *     Id: 01937b1e-8c5a-7d31-b2f0-6b1f0c9f4a11
 *     …
 *     Content-Length: 4              of all that follows; always the last
 *
 *     a
 *     b
 *
 * Id is the id of the first message. The id of each further message is greater by one (id.h); the names of the messages
 * say it.
 */
#ifndef MQ_SHARED_H
#define MQ_SHARED_H

#include "base/id.h"
#include "format/message.h"

struct shared_headers {
    char separator;
    char *headers;               /* the pairs without the separator, in the text that was parsed */
    char *id, *length;           /* the two values in there that differ between messages; the length comes last */
    char first_id[ID_UUID_SIZE]; /* of the first message */
    uint64_t begin, end;         /* where in the file the bodies begin and end */
};

/* Whether the messages of a file share their headers, by its first bytes or by reading those. */
bool shared_headers_begins(const char *text, size_t size);
int shared_headers_is(int file); /* 1, 0, or a negative errno */

/* Write the header Mq-Separator. `separator` is a newline or a NUL. Returns the end of what was written. */
char *shared_headers_put_separator(char *at, char separator);

/* Parse in place the headers at the beginning of a file. The text must outlive the result and every message that shows
   it. -EBADMSG: they are malformed. */
int shared_headers_take(char *text, size_t size, struct shared_headers *ret_shared);

/* With `first`: whether `id` is the id of the first message. Without: whether it may be the id of any message. */
bool shared_headers_may_have(const struct shared_headers *shared, const char *id, bool first);

/* Let a message show the headers as its own, with `id` and `body_size`. They stay in the same memory, so the message is
   valid until the next one is shown. */
void shared_headers_show(const struct shared_headers *shared, const char *id, uint64_t body_size, mq_message *message);

#endif
