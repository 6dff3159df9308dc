/*
 * Files that come into an ordered queue from elsewhere: from a transaction, or as a dead letter that is retried.
 *
 *     is = lane_delivery_find(queue, dir, file, &name, lane);               1: the message belongs in that lane; 0: in none
 *     moved = lane_delivery_move(queue, lane, dir, file, &name, …, &size);  1; 0: the file is gone
 *
 * Errors are negative errno values. -ENOENT: the queue lacks a part. -ENAMETOOLONG: the message has a long id and a due time,
 * and shares its file with others; or its name has fields of a later version.
 */
#ifndef MQ_LANE_DELIVERY_H
#define MQ_LANE_DELIVERY_H

#include "format/lane_name.h"
#include "queue/queue.h"

/* The lane of a message whose file is not in the queue yet. A message that cannot be read belongs in none. */
int lane_delivery_find(mq_queue *to, int dir, const char *file, const struct message_name *name,
                       char ret_lane[LANE_KEY_SIZE]);

/* Rename the file into the lane. `name->position` is new, unless it keeps it; `name->due` as for lane_put. Whoever calls
   counts the message. */
int lane_delivery_move(mq_queue *to, const char *lane, int dir, const char *file, struct message_name *name,
                       bool keeps_position, int64_t *ret_size);

/* The same; the caller closes `ret_dir`, in which the message lies. */
int lane_delivery_put(mq_queue *to, const char *lane, int dir, const char *file, struct message_name *name,
                      bool keeps_position, int64_t *ret_size, int *ret_dir);

#endif
