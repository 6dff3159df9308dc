/* Looking at messages without claiming them. */
#ifndef PEEK_H
#define PEEK_H

#include <stdbool.h>
#include <stdint.h>

#include "message/selection.h"

struct peek {
    bool states[MQ_STATES]; /* where to look */
    uint64_t count;         /* how many to show */
    bool whole;             /* with headers and body, rather than as a table's row */
    struct selection *selection;
};

/* Show them on standard output: an exit status, STATUS_NOTHING where there was nothing to see. */
int peek_show(mq_queue *queue, const struct peek *peek);

#endif
