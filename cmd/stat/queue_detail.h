/* One queue seen from near: its figures, its claims, and the messages that come next. */
#ifndef CLOSEUP_H
#define CLOSEUP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "stat/figures.h"

/* Print it as lines, for a screen of that size. The cost does not grow with the queue's depth but for the list of
   its buckets. */
void queue_detail_print(FILE *stream, const struct figures *figures, size_t columns, size_t rows, bool colour);

#endif
