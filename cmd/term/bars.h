/* Numbers as pictures of characters: a bar, and a line of small columns. Without UTF-8, in ASCII. */
#ifndef BARS_H
#define BARS_H

#include <stdbool.h>
#include <stddef.h>

/* A character may take this many bytes. */
#define BARS_SIZE(columns) (4 * (columns) + 1)

/* A bar as long as `value` is of `most`, in `columns` columns; anything above 0 can be seen. */
void bars_bar(double value, double most, size_t columns, bool utf8, char *text);

/* A column for each value, the highest of them full. */
void bars_sparkline(const double *values, size_t count, bool utf8, char *text);

#endif
