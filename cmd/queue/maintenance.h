/* Sweeping and checking queues; with no names, all of the spool. Calls return an exit status. */
#ifndef UPKEEP_H
#define UPKEEP_H

#include <stdbool.h>

int maintenance_sweep(char **names, int count);

/* Print what does not belong; with `repair`, after moving it aside. */
int maintenance_check(char **names, int count, bool repair);

#endif
