/*
 * A file, with the messages that its name stands for, from one state to another by one rename, and what the page is
 * told of it.
 */
#ifndef MQ_MOVE_H
#define MQ_MOVE_H

#include "queue/queue.h"

/*
 * Rename the file `from_name` in the bucket `from_dir` of state `from` to where `name` belongs in
 * state `to`. 1 moved; 0 the file is not there any more: somebody else moved it first. -EEXIST: the
 * target's name is taken.
 */
int move_message(mq_queue *queue, enum mq_state from, int from_dir, const char *from_name, enum mq_state to,
                 const struct message_name *name);

/* The same out of the inbox, of a message that nobody has counted yet. */
int move_in(mq_queue *queue, int from_dir, const char *from_name, enum mq_state to, const struct message_name *name);

/* The same into another queue's ready/, as a file that its users can read. */
int move_to_queue(mq_queue *queue, enum mq_state from, int from_dir, const char *from_name, mq_queue *to,
                  const struct message_name *name);

/* Unlink a message's file, or the name that it has among others. 1 removed; 0 it is not there any more. */
int move_out(mq_queue *queue, enum mq_state from, int from_dir, const char *from_name, const struct message_name *name);

/* The message is done, and its file goes to `done_name` in a directory that is no state's. 1 moved; 0 it is not there any more;
   -EEXIST: the name is taken. */
int move_to_done(mq_queue *queue, enum mq_state from, int from_dir, const char *from_name,
                 const struct message_name *name, int dir, const char *done_name);

/* Tell the page that a message now is in a state, and ring whoever waits for it, or must look sooner than it meant to. */
void move_announce(mq_queue *queue, enum mq_state state, const struct message_name *name, bool returned);

#endif
