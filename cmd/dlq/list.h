/* mq-dlq list: a row, an object, or a line by a template, for each dead letter. */
#ifndef LIST_H
#define LIST_H

#include "message/selection.h"
#include "message/template.h"

/* Returns an exit status; an empty list is no failure, unless something was said of the letters. */
int dlq_list(struct selection *selection, struct template *format, const char *name);

#endif
