/*
 * Routing keys and the patterns that match them, as in AMQP's topic exchanges; no I/O.
 *
 * A key is words with dots between them. An empty word is a word: `a.` has two and `.` has two; but the empty key has
 * none. In a pattern `*` stands for one word and `#` for any number of words, both only where they are a whole word.
 * Case matters.
 */
#ifndef MQ_PATTERN_H
#define MQ_PATTERN_H

#include <stdbool.h>

#define PATTERN_SIZE 256 /* of the longest key or pattern and its NUL */

/* Whether a text may be a key or a pattern: UTF-8 without control characters, of at most 255 bytes. */
bool pattern_is_valid(const char *text);

/* The time it takes grows with the product of their lengths at most. */
bool pattern_matches(const char *pattern, const char *key);

#endif
