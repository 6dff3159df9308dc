/*
 * Groups of a log: queues that take the entries of the log one after the other, each group at its own pace.
 *
 *     SPOOL/LOG/groups/GROUP/           a queue, with everything that a queue has
 *     SPOOL/LOG/groups/GROUP/cursor/    one name: which offset comes next (group_name.h)
 *
 * Errors are negative errno values. -EUCLEAN: the group has lost its cursor, or has two.
 */
#ifndef MQ_GROUP_H
#define MQ_GROUP_H

#include <stddef.h>

#include "format/group_name.h"
#include "queue/queue.h"

#define GROUP_CURSOR "cursor"

/* The directory of the log, from that of the group. */
int group_open_log(int group_dir);

/* How far a group has come. */
int group_read_place(int group_dir, struct group_place *ret_place);

/* Make the cursor of a group that has none. */
int group_make_cursor(int group_dir, uint64_t next);

/* Give the handle of a group its source. */
int group_attach(mq_queue *queue);

/* Finish the take that the cursor was moved by, if the process that decided it has not. 1: something became ready; 0. */
int group_finish_take(mq_queue *queue, const struct group_place *place);

/* Rename the cursor. 1 done; 0 another process was first. */
int group_move(int group_dir, const struct group_place *from, const struct group_place *to);

/* How many messages were removed before they came to this handle. */
uint64_t group_overtaken(const mq_queue *queue);

/* Call `each` with every group of a log, in no order. A non-zero return of `each` ends it and is returned. */
int group_each(int log_dir, int (*each)(void *context, const char *name, int group_dir), void *context);

/* The lowest and the highest offset that comes next in one of its groups: 1. 0: it has no groups. -EUCLEAN: one of them is
   damaged; or such are passed over. */
struct group_bounds {
    bool passes_damaged, any;
    uint64_t lowest, highest;
};
int group_find_bounds(int log_dir, bool passes_damaged, struct group_bounds *ret_bounds);

/* Remove the takes in tmp/ that no cursor can ever be moved by. */
int group_sweep_takes(mq_queue *queue, uint64_t *removed);

#endif
