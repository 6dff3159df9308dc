/*
 * A file goes from one queue to another by one rename: a dead letter that is retried there, or a message that is moved.
 *
 *     moved = transfer_file(&(struct transfer){…}, dir, file, &name, &next);
 *     if (moved == TRANSFER_AGAIN || moved == -ENOENT)
 *         error = queue_reopen(to);         the queue `to` was deleted meanwhile: try again
 */
#ifndef MQ_TRANSFER_H
#define MQ_TRANSFER_H

#include "queue/queue.h"

#define TRANSFER_AGAIN 2

struct transfer {
    mq_queue *queue;
    enum mq_state state; /* in `queue` */
    mq_queue *to;
    enum mq_state to_state; /* ready or delayed */
};

/* Move the file dir/file, called `name`, into the other queue, as `next` but with a position there, or into the lane that
   it belongs in. 1 moved; 0 another process was first. If the other queue loses its name meanwhile the file goes back, and
   the call returns TRANSFER_AGAIN. */
int transfer_file(const struct transfer *transfer, int dir, const char *file, const struct message_name *name,
                  struct message_name *next);

/* A dead letter that is made ready again has had no attempts, no reason of death, and no expiry, which would end it at
   once. */
struct message_name transfer_revive(const struct message_name *dead);

#endif
