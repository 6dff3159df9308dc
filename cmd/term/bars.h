/* Numbers drawn with characters: a bar, and a line of small columns. Without UTF-8 they are drawn in ASCII. */
#ifndef BARS_H
#define BARS_H

#include <stdbool.h>
#include <stddef.h>

/* A character may take this many bytes. */
#define BARS_SIZE(columns) (4 * (columns) + 1)

/* Draw a bar that fills the share `value` / `most` of `columns` columns. A value above 0 is always visible. */
void bars_bar(double value, double most, size_t columns, bool utf8, char *text);

/* Draw a column for each value. The highest value has a full column. */
void bars_sparkline(const double *values, size_t count, bool utf8, char *text);

#endif
