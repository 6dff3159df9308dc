/*
 * Messages that share their headers. Their file begins with the headers that all of them have. Then come their bodies,
 * each of which ends with a separator that no body contains.
 *
 *     Mq-Separator: newline          or null; always the first header
 *     Id: 01937b1e-8c5a-7d31-b2f0-6b1f0c9f4a11
 *     …
 *     Content-Length: 4              of all bodies and separators; always the last header
 *
 *     a
 *     b
 *
 * The id is that of the first message. The id of each other one is one more than that of the message before (id.h).
 *
 *     got = shared_headers_read(file, &text, &size);
 *     if (got == 1)
 *         error = shared_headers_take(text, size, &shared);
 *     if (!error && shared_headers_find(&shared, file_size, offset, id, &begin))
 *         … read a body at `begin` …
 *         shared_headers_show(&shared, id, body_size, message);
 *
 * Errors are negative errno values. -EBADMSG: the headers are malformed.
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

/* Whether this text, from the beginning of a file, begins with headers that messages share. */
bool shared_headers_begins(const char *text, size_t size);

/* Read the headers of a file if its messages share them. 1: read, with what follows them up to `ret_size`; the caller
   frees the text. 0: the messages do not share headers. */
int shared_headers_read(int file, char **ret_text, size_t *ret_size);

/* Take the headers at the beginning of a file apart, in place: the text must outlive `ret_shared`. */
int shared_headers_take(char *text, size_t size, struct shared_headers *ret_shared);

/* Whether a file of `file_size` bytes with these headers is whole, and can have the message `id` at `offset`. At 0 it
   is the first message, which the headers name. `ret_begin` is where the body begins. */
bool shared_headers_find(const struct shared_headers *shared, uint64_t file_size, uint64_t offset, const char *id,
                         uint64_t *ret_begin);

/* Write the header of a separator, a newline or a NUL. Returns the end of what was written. */
char *shared_headers_put_separator(char *at, char separator);

/* Let a message show the headers as its own. They stay in the text that they were taken from, until the next call. */
void shared_headers_show(const struct shared_headers *shared, const char *id, uint64_t body_size, mq_message *message);

#endif
