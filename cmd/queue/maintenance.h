/* Sweeping and checking the named queues; without names, all queues of the spool. Calls return an exit status. */
#ifndef MAINTENANCE_H
#define MAINTENANCE_H

#include <stdbool.h>

int maintenance_sweep(char **names, int count);

/* Print every file and directory that does not belong in a queue. With `repair` each is moved aside. */
int maintenance_check(char **names, int count, bool repair);

#endif
