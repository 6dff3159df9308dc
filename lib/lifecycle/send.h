/*
 * Sending one message, in a file of its own.
 *
 *     error = send_message(queue, message, options, true, id, &is_duplicate);
 *
 * This is mq_send without the housekeeping. Without `sync` the caller makes the message durable later, by a sync of the
 * whole file system: for messages that are sent once.
 */
#ifndef MQ_SEND_H
#define MQ_SEND_H

#include "queue/queue.h"

int send_message(mq_queue *queue, mq_message *message, const struct mq_send_options *options, bool sync, char *ret_id,
                 bool *ret_is_duplicate);

#endif
