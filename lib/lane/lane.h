/*
 * Lanes: the message groups of an ordered queue.
 *
 * The messages of a group wait in lanes/KEY/q/, in the order of their positions. The lane has one token, an empty file
 * whose name is that of the lane's head, the one message of the group that may be worked on. The token lies in ready/,
 * delayed/ or inflight/ and is claimed, delayed and made ready by the same renames as a message. When the head is done the
 * token goes on to the next message. mq-spool(5) has the protocol, tests/model/lanes.pml the proof.
 *
 *     error = lane_put(queue, key, &name, …, &dir);     a sender puts a message into a lane
 *     file = lane_open_head(queue, &name);                          a receiver that has claimed a token reads the head
 *     done = lane_end(queue, state, dir, file, &name, how, …);      the head is done, or dead
 *     done = lane_resume(queue, dir, file, &name);                  a token that its process left behind
 *
 * Errors are negative errno values. What moves a token returns 1, or 0 if another process was first.
 */
#ifndef MQ_LANE_H
#define MQ_LANE_H

#include "format/lane_name.h"
#include "lane/lane_head.h"
#include "queue/queue.h"
#include "store/lane_birth.h"

static inline bool lane_is_token(const struct message_name *name)
{
    return name->lane[0] != '\0';
}

/* Give the message a name in a directory of its lane: a link, or a rename. -ENOENT: the directory is gone. */
typedef int lane_link_fn(void *context, int dir, const char *file);

/* Put a message into a lane, which is made if it is missing. `name->position` is set to a new one, unless `keeps_position`.
   `name->due` tells when it falls due, if it is not to be delivered at once. The caller closes `ret_dir`, in which the
   message lies then. -ENOENT: the queue lacks a part. */
int lane_put(mq_queue *queue, const char *key, struct message_name *name, bool keeps_position, lane_link_fn *give_name,
             void *context, int *ret_dir);

/* Open the head of a claimed token. If that is a single message in a file of its own, the caller looks whether it is a
   regular file. -ENOENT: it is gone, or the token is of an earlier generation. `ret_has_cuts` may be NULL; true: some of its
   messages may have been taken out (lane_pass.h). */
int lane_open_head(mq_queue *queue, const struct message_name *token, bool *ret_has_cuts);

/* The name of a token for the first message alone that it stands for, of several. -ENOENT: as lane_open_head. -EBADMSG. */
int lane_name_one(mq_queue *queue, const struct message_name *token, struct message_name *ret_one);

/* How a head ended, as its token tells it: done, or dead of a cause (enum mq_death). */
static inline unsigned lane_dead_of(unsigned cause)
{
    return 2 + cause;
}

/* End the head of the token dir/file: first the token says so, which decides; then `end` does it; then the token goes on. */
int lane_end(mq_queue *queue, enum mq_state state, int dir, const char *file, const struct message_name *token,
             unsigned how, lane_end_fn *end, const void *argument);

/* Remove what a name stands for: the file of a message, or by its token the head of a lane. As move_out(). */
int lane_remove(mq_queue *queue, enum mq_state state, int dir, const char *file, const struct message_name *name);

/* The token goes on to the next message, or goes if there is none. 1, or 0 if another process has moved it. */
int lane_go_on(mq_queue *queue, int dir, const char *file, const struct message_name *token);

/* The head of a claimed token is gone, because somebody purged it: the token goes on to the next. */
int lane_skip(mq_queue *queue, int dir, const char *file, const struct message_name *token);

/* A token in inflight/ that says that its head is settled: do what its process has left undone. */
int lane_resume(mq_queue *queue, int dir, const char *file, const struct message_name *token);

/* Do so with all such tokens now: so lanes at rest are removed. */
int lane_resume_all(mq_queue *queue);

/* A lane of this generation has no token, as far as can be seen: it gets another generation and a token of that. A token
   of the old one that was overlooked is worth nothing then. 1, or 0 if the lane has gone or has got a token. */
int lane_revive(mq_queue *queue, const char *generation);

#endif
