/* mq-dlq retry and purge: make dead letters ready again, or remove them. */
#ifndef CHANGE_H
#define CHANGE_H

#include <stdbool.h>

#include "message/selection.h"

/*
 * The first word is the queue, the others are ids. `to` is the name of the queue to send the letters to; NULL: they go
 * back to their place. With `dry_run` nothing changes, and the ids are printed. Both return an exit status.
 */
int dlq_retry(struct selection *selection, const char *to, bool dry_run, char **words, int count);
int dlq_purge(struct selection *selection, bool dry_run, char **words, int count);

#endif
