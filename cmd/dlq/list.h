/* mq-dlq list: a row, or an object, for each dead letter. */
#ifndef LIST_H
#define LIST_H

#include "message/selection.h"

/* The first word is the queue. Returns an exit status; an empty list is no failure. */
int dlq_list(struct selection *selection, char **words, int count);

#endif
