/*
 * Transactions that are decided or past their deadline, and that no process finishes: all processes of their user that
 * would do so are gone, or something of them cannot be carried out.
 */
#ifndef UNFINISHED_H
#define UNFINISHED_H

#include <stdbool.h>

/* Report those of the spool; with `repair`, finish those of this user first. Returns an exit status. */
int unfinished_check(bool repair);

#endif
