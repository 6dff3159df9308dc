/* Commands that do one thing with each of the selected messages. Calls return an exit status, and have reported what went
   wrong: STATUS_NOTHING if an id is missing, or if nothing was done. */
#ifndef QUEUE_CHANGE_H
#define QUEUE_CHANGE_H

#include <argp.h>
#include <mq.h>

#include "message/selection.h"

/* Take KEY=VALUE of mq-queue set: priority, delay or ttl. A wrong one ends the program. */
void change_parse(struct mq_changes *changes, const char *word, const struct argp_state *state);

/* Remove messages: those that wait, if no state is selected. */
int change_remove(const char *name, struct selection *selection);

/* Change messages that wait. */
int change_set(const char *name, struct selection *selection, const struct mq_changes *changes);

/* Move messages to another queue, or copy them; without a selection all that wait. */
int change_move(const char *name, const char *to, struct selection *selection);
int change_copy(const char *name, const char *to, struct selection *selection);

/* End claims. */
int change_release(const char *name, struct selection *selection);

#endif
