/* mq-queue delete. */
#ifndef DELETE_H
#define DELETE_H

#include <stdbool.h>

/* Delete a queue, with its messages only if `force` is set. With `dry_run` the ids of the messages are printed instead.
   Returns an exit status. */
int delete_queue(const char *name, bool dry_run, bool force);

#endif
