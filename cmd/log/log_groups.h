/* The groups of logs, as mq-log list shows them. */
#ifndef LOG_GROUPS_H
#define LOG_GROUPS_H

#include <jansson.h>

#include "term/table.h"

/* Add the groups of a log to the array, or if that is NULL to the table, which is made for the first of them. Returns
   an exit status. */
int log_groups_show(const char *log, struct table **table, json_t *array);

/* Print the table below that of the logs. NULL: there are no groups. */
void log_groups_end(struct table *table);

#endif
