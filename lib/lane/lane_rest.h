/*
 * Lanes at rest. A lane that is empty is not removed at once if it was empty a moment ago, too: its token, which is settled,
 * stays where it is until its lease ends, and the lane has a note of the token's name. A sender that joins the lane
 * finds the note and lets the token go on. tests/model/lanes.pml has the proof (REST).
 *
 * The note is written before the lane is listed once more, and read after the message was linked. So a message that its
 * sender did not show is seen by the process that lets the lane rest. If either dies, the lease ends.
 */
#ifndef MQ_LANE_REST_H
#define MQ_LANE_REST_H

#include "queue/queue.h"

/* Let the lane of the settled token `file` rest, in which no message was found. `q` is its q/, open and not read yet, or -1.
   1: it rests, or has gone on; 0: it may not rest, and is to be closed, unless it is of another generation. */
int lane_rest(mq_queue *queue, int dir, const char *file, const struct message_name *token, int q);

/* Whether the lane was at rest when this process saw it last. Then it was empty. */
bool lane_rest_is_known(const mq_queue *queue, const char *key);

/* The lane of a generation is being removed: its directory is open in `lane`. Remove the note that this process knows of. */
void lane_rest_remove_note(mq_queue *queue, const char *generation, int lane);

/* Whether the lane was found empty, after a head of it was done. */
void lane_rest_note(mq_queue *queue, const char *key, bool is_empty);

/* Whether the lane of a settled token, which is done as a whole, will probably be empty. */
bool lane_rest_is_expected(const mq_queue *queue, const struct message_name *token);

/* A message was put into the lane of that key: if it was at rest, its token goes on. What fails here is done when the lease
   ends. `q` is the lane's q/, open and not read yet, or -1. */
void lane_wake(mq_queue *queue, const char *key, int q);

#endif
