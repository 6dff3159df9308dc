/* Parsing header lines in place: the text "Name: value\n…\n\n" becomes pairs "Name\0value\0". */
#ifndef MQ_HEADERS_H
#define MQ_HEADERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What was parsed. The values that the library itself needs point into the pairs; NULL: there is no such header. */
struct headers {
    char *pairs;
    size_t size; /* of the pairs */
    size_t used; /* bytes of the text: the lines and the blank one */
    char *id, *length;
};

/* Parse the lines up to the blank one. -EBADMSG: a line is malformed, or there is no blank line. */
int headers_take(char *text, size_t size, struct headers *ret_headers);

/* The length of the body. False: the headers do not say it. */
bool headers_parse_length(const struct headers *headers, uint64_t *ret_length);

/* Read the header lines that begin at `offset` of a file, and some of what follows them. The caller frees the text.
   -EBADMSG: there is no blank line within the largest size that headers may have. */
int headers_read(int file, uint64_t offset, char **ret_text, size_t *ret_size);

/* Whether a text of less than `size` bytes is names of headers with commas, and maybe blanks, between them. */
bool headers_are_names(const char *text, size_t size);

#endif
