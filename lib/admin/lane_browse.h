/*
 * The messages that wait in the lanes of an ordered queue behind a head: showing, opening and removing them. A head is shown
 * by its token, as a message of the token's state.
 *
 * The entry of a waiting message has the key of its lane as its bucket. Errors are negative errno values.
 */
#ifndef MQ_LANE_BROWSE_H
#define MQ_LANE_BROWSE_H

#include "queue/queue.h"

/* Whether an entry is of a message that waits in a lane. */
bool lane_browse_is(const struct mq_entry *entry);

/* Show those that count as of this state: ready, or delayed if they have a due time. What `each` returns ends the walk. */
int lane_browse(mq_queue *queue, enum mq_state state, int (*each)(const struct mq_entry *entry, void *context),
                void *context);

/* Open the file: -ENOENT if it has moved on. Remove it: 1, or 0 if it has moved on. */
int lane_browse_open(mq_queue *queue, const struct mq_entry *entry, struct message_name *ret_name);
int lane_browse_remove(mq_queue *queue, const struct mq_entry *entry);

/* Remove all of them, and add how many to `purged`. */
int lane_browse_purge(mq_queue *queue, enum mq_state state, uint64_t *purged);

#endif
