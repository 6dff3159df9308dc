/*
 * Removing messages of a queue, and telling which ones that would be.
 *
 *     struct purge purge = {.queue = queue, .selection = &selection, .states = {[MQ_READY] = true}};
 *     status = purge_run(&purge);
 *
 * Calls that report an error return the exit status that belongs to it.
 */
#ifndef PURGE_H
#define PURGE_H

#include <mq.h>
#include <stdbool.h>

#include "message/selection.h"

struct purge {
    mq_queue *queue;
    struct selection *selection;
    bool states[MQ_STATES];
    bool dry; /* remove nothing, print the ids */
};

/* How many were removed is in selection->taken. STATUS_NOTHING where an id is not there. */
int purge_run(const struct purge *purge);

/* Print the ids of all messages in the queue, and how many there are. */
int purge_list(mq_queue *queue, uint64_t *ret_count);

#endif
