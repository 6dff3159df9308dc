/* Header lines, taken apart in place: text "Name: value\n…\n\n" becomes "Name\0value\0" pairs. */
#ifndef MQ_HEADERS_H
#define MQ_HEADERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What was taken, and where in it what the library itself needs to know is; NULL: it is not there. */
struct headers {
    char *pairs;
    size_t size; /* of the pairs */
    size_t used; /* of the text: the lines and the blank one */
    char *id, *length;
};

/* -EBADMSG: a line is malformed, or there is no blank one. */
int headers_take(char *text, size_t size, struct headers *ret_headers);

/* The length of the body, if they say one. */
bool headers_parse_length(const struct headers *headers, uint64_t *ret_length);

/* Read from `offset` of a file until the header lines that begin there are whole, and some of what follows them. The
   text is the caller's to free. -EBADMSG: they do not end. */
int headers_read(int file, uint64_t offset, char **ret_text, size_t *ret_size);

#endif
