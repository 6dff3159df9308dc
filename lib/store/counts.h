/*
 * Tables of counters: how often each of many things was counted, which are known by keys other than 0. Each host has
 * one, a file in the directory host/ of whatever has such a table; all processes of the host map it. It grows with the
 * things.
 *
 *     counts_open(dir, host_name, things, mode, &counts);
 *     counts_add(counts, key, 1);
 *     if (!counts_are_current(counts)) … close and open again: another process has replaced the file …
 *     counts_close(counts);
 *
 *     error = counts_open_all(dir, &all);                  to look: the tables of all hosts
 *     … counts_read_all(&all, key) …
 *     counts_close_all(&all);
 *
 * Counters are figures and never the truth. What cannot be counted, since the file cannot be made or is full, is not
 * counted; a file that is replaced by a larger one may lose what others count meanwhile.
 */
#ifndef MQ_COUNTS_H
#define MQ_COUNTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "store/page.h"

#define COUNTS_NAME_SIZE (PAGE_NAME_SIZE + 11) /* a host's, and a user's number */

struct counts;

/* Open the table of this host, with room for `things`; it is made if it is missing, with this mode. It belongs to the
   owner of the directory, or if the mode lets others in to this user. NULL: nothing can be counted. */
struct counts *counts_open(int dir, const char *host_name, size_t things, mode_t mode);
void counts_add(struct counts *counts, uint64_t key, uint64_t number); /* NULL is fine */
void counts_close(struct counts *counts);                              /* NULL is fine */

/* Whether the file still has its name, and has room for so many things. */
bool counts_are_current(const struct counts *counts, size_t things);

struct counts_all {
    struct counts **list;
    size_t count, room;
};

/* 0, or a negative errno if the tables cannot be listed. What is no table is left out. */
int counts_open_all(int dir, struct counts_all *ret_all);
uint64_t counts_read_all(const struct counts_all *all, uint64_t key);
void counts_close_all(struct counts_all *all);

#endif
