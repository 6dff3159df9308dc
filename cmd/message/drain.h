/* The progress of a program that empties queues: what is ready in them is what is left. */
#ifndef DRAIN_H
#define DRAIN_H

#include <mq.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "term/progress.h"

struct drain {
    struct progress *progress; /* NULL: none is shown */
    mq_queue *const *queues;
    size_t count;
    uint64_t most; /* messages; 0: no limit */
};

/* So many messages are done; `running` more are being worked on. */
void drain_update(const struct drain *drain, uint64_t done, uint64_t running);

/* Nothing came: say of each queue that is paused for receivers that it is. True: one is. */
bool drain_say_paused(const struct drain *drain);

#endif
