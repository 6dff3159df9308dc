/* Untrusted text: whether it is UTF-8, how wide it is, and how to escape it for a terminal. */
#ifndef TEXT_H
#define TEXT_H

#include <stdbool.h>
#include <stddef.h>

bool text_is_utf8(const void *data, size_t size);

/* The length of `data` without a character that its end cuts in two. */
size_t text_whole(const void *data, size_t size);

/* The room that `size` bytes may need when escaped, with a NUL. */
#define TEXT_ESCAPED(size) (4 * (size) + 1)

/*
 * Copy `data`, with every control character that is not in `keep`, and every byte that is not UTF-8, written as \n, \t,
 * \r or \xNN. Returns the length; a NUL follows.
 */
size_t text_escape(const void *data, size_t size, const char *keep, char *ret_text);

/* Append a name to the list "name, name, …" in `list`, a buffer of `size` bytes that begins as an empty string. A name
   that does not fit is cut. */
void text_list(char *list, size_t size, const char *name);

/* The columns of a terminal that `text` fills; and how many of its bytes fit into `columns`. */
size_t text_columns(const char *text);
size_t text_fit(const char *text, size_t columns);

#endif
