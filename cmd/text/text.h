/*
 * Untrusted text: is it UTF-8, how wide is it, and what may a terminal see of it?
 */
#ifndef TEXT_H
#define TEXT_H

#include <stdbool.h>
#include <stddef.h>

bool text_is_utf8(const void *data, size_t size);

/* How much of `data` remains when a character that its end cuts in two is left off. */
size_t text_whole(const void *data, size_t size);

/* Room that the escaped form of `size` bytes may need. */
#define TEXT_ESCAPED(size) (4 * (size) + 1)

/*
 * Write `data` with every control character but those in `keep`, and all that is not UTF-8, as
 * \n, \t, \r or \xNN. Returns the length; a NUL follows.
 */
size_t text_escape(const void *data, size_t size, const char *keep, char *ret_text);

/* Append a name to a list of names in `list`, which has this size and begins empty. What has no room is left off. */
void text_list(char *list, size_t size, const char *name);

/* Columns of a terminal that `text` fills, and how many of its bytes fit into `columns`. */
size_t text_columns(const char *text);
size_t text_fit(const char *text, size_t columns);

#endif
