/* mq-dlq retry and purge: make dead letters ready again, or remove them. */
#ifndef CHANGE_H
#define CHANGE_H

#include <stdbool.h>

#include "message/selection.h"

/*
 * `to` is the name of the queue to send the letters to; NULL: they go back to their place. With `dry_run` in the selection
 * nothing changes, and the ids are printed. Both return an exit status.
 */
int dlq_retry(struct selection *selection, const char *to, const char *name);
int dlq_purge(struct selection *selection, const char *name);

#endif
