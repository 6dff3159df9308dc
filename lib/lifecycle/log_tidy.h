/*
 * Tidying a log: what is no longer kept is removed.
 *
 * Entries may only go when no process may ask again whether a committed output of a transaction is among them
 * (append_output.c). So the end is looked at first, then the transactions are finished, and what lies before that end may
 * go if none is left that is committed into the log: what is committed later is appended behind it.
 */
#ifndef MQ_LOG_TIDY_H
#define MQ_LOG_TIDY_H

#include <stddef.h>
#include <stdint.h>

/* Remove at most so many buckets of the log in the directory `dir`. */
int log_tidy(const char *spool_path, const char *name, int dir, size_t most, uint64_t *ret_removed);

#endif
