/* mq-dlq list: a row, or an object, for each dead letter. */
#ifndef LIST_H
#define LIST_H

#include "message/selection.h"

/* Returns an exit status; an empty list is no failure, unless something was said of the letters. */
int dlq_list(struct selection *selection, const char *name);

#endif
