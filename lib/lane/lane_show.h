/*
 * A token that goes on shows the next head of its lane: it is renamed to the state that the head is in.
 *
 * The calls return 1, or 0 if another process has moved the token; or a negative errno.
 */
#ifndef MQ_LANE_SHOW_H
#define MQ_LANE_SHOW_H

#include "queue/queue.h"

/* The token dir/file, of the generation `lane`, shows the message `head`. It gets a new place, so that lanes which wait
   longer come first. */
int lane_show(mq_queue *queue, int dir, const char *file, const struct message_name *head, const char *lane);

/* It shows the messages of the head's file that follow a part. */
int lane_show_rest(mq_queue *queue, int dir, const char *file, const struct message_name *part);

#endif
