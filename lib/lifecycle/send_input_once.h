/* Sending many messages once. */
#ifndef MQ_SEND_INPUT_ONCE_H
#define MQ_SEND_INPUT_ONCE_H

#include "lifecycle/compose.h"

/* Send what the caller gives, in order: those that no mark tells of in files of several, and the others one by one. All of
   them wait for the disk together. `ret_sent`: how many were sent, or had been; an error is of the next one, unless it is
   -EINPROGRESS, or a sync failed. */
int send_input_once(mq_queue *queue, struct send_input *input, const struct mq_send_options *options, size_t *ret_sent);

#endif
