/* mq-dlq show: dead letters whole, with the records of their failed attempts. */
#ifndef SHOW_H
#define SHOW_H

#include "message/selection.h"

/* Returns an exit status. */
int dlq_show(struct selection *selection, const char *name);

#endif
