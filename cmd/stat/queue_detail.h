/* One queue in detail: its figures, its claims, and the messages that are delivered next. */
#ifndef QUEUE_DETAIL_H
#define QUEUE_DETAIL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "stat/snapshot.h"

/* Print the queue as lines for a screen of this size. The cost grows with depth only by the list of the buckets. */
void queue_detail_print(FILE *stream, const struct snapshot *snapshot, size_t columns, size_t rows, bool colour);

#endif
