/*
 * The dead letters that a command of mq-dlq is about, and what was kept of their failed attempts.
 *
 *     struct dead_letters letters = {.selection = selection, .act = show};
 *     status = dead_letters_open(&letters, name);
 *     if (status == STATUS_DONE)
 *         status = dead_letters_each(&letters);
 *
 * Calls return an exit status, and have reported what went wrong.
 */
#ifndef DEAD_LETTERS_H
#define DEAD_LETTERS_H

#include <jansson.h>
#include <mq.h>

#include "message/selection.h"

struct dead_letters {
    struct selection *selection;
    /* Called for each dead letter. A status that is not STATUS_DONE ends the walk, but
       for SELECTION_GONE. */
    int (*act)(struct dead_letters *letters, const struct mq_entry *entry);
    void *context;   /* of `act` */
    mq_queue *queue; /* from dead_letters_open until the end of dead_letters_each */
    int status;
};

/* Open the queue. */
int dead_letters_open(struct dead_letters *letters, const char *name);

/* Call `act` for the dead letters that the selection takes, and close the queue. */
int dead_letters_each(struct dead_letters *letters);

/* Report that something failed for one of them. */
int dead_letters_fail(const struct dead_letters *letters, const struct mq_entry *entry, const char *what, int error);

/* The records of its failed attempts as an array. NULL: they cannot be read; `status` has the exit status. */
json_t *dead_letters_failures(struct dead_letters *letters, const struct mq_entry *entry);

#endif
