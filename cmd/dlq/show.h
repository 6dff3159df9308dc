/* mq-dlq show: dead letters whole, with the records of their failed attempts. */
#ifndef SHOW_H
#define SHOW_H

#include "message/selection.h"

/* The first word is the queue, the others are ids. Returns an exit status. */
int dlq_show(struct selection *selection, char **words, int count);

#endif
