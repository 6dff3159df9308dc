/* mq-queue history: what became of the commands that worked on messages. */
#ifndef RESULT_HISTORY_H
#define RESULT_HISTORY_H

#include "queue/result_list.h"

/* Print a row, or with --json an object, for each result. Returns an exit status. */
int result_history_show(const char *name, const struct result_wish *wish);

#endif
