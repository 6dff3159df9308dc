/*
 * What a group that keeps an order takes of its log, on the way into the lanes (lane.h).
 *
 * Its take (group.h) is a directory in tmp/, with a link of the entry for each message. A link is named as the token of the
 * message's lane would be in ready/, of any generation; or as the message, if that belongs in no lane.
 *
 *     error = group_feed_make(queue, tmp, take, &entry);      the directory is complete
 *     … move the cursor, which decides …
 *     done = group_feed_finish(queue, tmp, take);             by any process, as often as it likes
 *
 * Each link is renamed into its lane, one after the other in the order of the log: a rename has one winner. The cursor is
 * moved on only when the directory is gone. tests/model/group_lanes.pml is the proof.
 *
 * Errors are negative errno values.
 */
#ifndef MQ_GROUP_FEED_H
#define MQ_GROUP_FEED_H

#include "format/group_name.h"
#include "queue/queue.h"

struct group_feed_entry {
    int log;          /* the log's directory */
    const char *path; /* of the entry, in there */
    int file;         /* the entry, open */
    bool is_damaged;
    const struct group_place *place; /* of the take */
};

/* Make the take. -ENOENT: the entry, or what was made of the take, is gone. -ESTALE: the entry was replaced by an equal one.
   After a failure nothing of it is left. */
int group_feed_make(mq_queue *queue, int tmp, const char *take, const struct group_feed_entry *entry);

/* How many messages a take still holds, whose directory is dir/take. */
int group_feed_count(int dir, const char *take, uint64_t *ret_count);

/* Bring its messages into their lanes. 1: done; 0: there is no such take. */
int group_feed_finish(mq_queue *queue, int tmp, const char *take);

/* Whether the group may take more: not as long as a strict one holds a message, nor if very many wait for messages before
   them. 1 or 0. */
int group_feed_has_room(mq_queue *queue);

#endif
