/* Removing messages of a queue, or printing the ids of those that would be removed. Calls return an exit status. */
#ifndef PURGE_H
#define PURGE_H

#include <mq.h>
#include <stdbool.h>

#include "message/selection.h"

/* Remove the selected messages: those that wait, if no state is selected. With `dry_run` only their ids are printed.
   STATUS_NOTHING if an id is missing. */
int purge_messages(const char *name, struct selection *selection, bool dry_run);

/* Print the ids of all messages in the queue, and count them. */
int purge_list(mq_queue *queue, uint64_t *ret_count);

#endif
