/*
 * Moving a message's file from one state to another by one rename, and telling the host page about it.
 *
 *     moved = move_message(queue, MQ_DELAYED, dir, file, MQ_READY, &name);
 *
 * `from_dir` is the open directory that the file lies in, `from_name` its name there, and `name` the name that it gets.
 * A file may hold several messages; `name->count` says how many of them move with it.
 *
 * The calls return 1 if this process moved the file, and 0 if the file was not there any more, because another process
 * moved it first. -EEXIST: the new name is taken. After any negative errno the file is where it was.
 */
#ifndef MQ_MOVE_H
#define MQ_MOVE_H

#include "queue/queue.h"
#include "store/adopt.h"

/* Move a file to where `name` belongs in state `to`. */
int move_message(mq_queue *queue, enum mq_state from, int from_dir, const char *from_name, enum mq_state to,
                 const struct message_name *name);

/* Move a file from ready/ to inflight/. `ret_dir` is the bucket that it lies in then. The handle owns this descriptor
   and keeps it open until the next move to inflight/, or until the queue is reopened. */
int move_claim(mq_queue *queue, int from_dir, const char *from_name, const struct message_name *name, int *ret_dir);

/* Move a file that no state had: from the inbox, or a draft. Its messages are counted now. `ret_dir` is the bucket that it
   lies in then, as for move_claim; it may be NULL. */
int move_in(mq_queue *queue, int from_dir, const char *from_name, enum mq_state to, const struct message_name *name,
            int *ret_dir);

/* The same, of a file whose size is known. */
int move_in_sized(mq_queue *queue, int from_dir, const char *from_name, enum mq_state to,
                  const struct message_name *name, int64_t size, int *ret_dir);

/* Move a file that no queue has yet into this one, whose users can read it there, and count its messages as sent. It is
   looked at unless `look` is known. -ENOENT: the queue was deleted. */
int move_to_new_queue(mq_queue *queue, int from_dir, const char *from_name, enum mq_state to,
                      const struct message_name *name, struct adopt_look *look);

/* Move a file to a state of another queue, so that the users of that queue can read it. `ret_dir` is as for move_claim,
   but the handle `to` owns it. */
int move_to_queue(mq_queue *queue, enum mq_state from, int from_dir, const char *from_name, mq_queue *to,
                  enum mq_state to_state, const struct message_name *name, int *ret_dir);

/* Move the token of a lane, which is no message and is not counted. `ret_dir` is as
   for move_claim. */
int move_token(mq_queue *queue, int from_dir, const char *from_name, enum mq_state to, const struct message_name *name,
               int *ret_dir);

/* Remove a name of a file; the file goes with its last name. */
int move_out(mq_queue *queue, enum mq_state from, int from_dir, const char *from_name, const struct message_name *name);

/* Move the file of a message that is done to `done_name` in `dir`, a directory that belongs to no state. */
int move_to_done(mq_queue *queue, enum mq_state from, int from_dir, const char *from_name,
                 const struct message_name *name, int dir, const char *done_name);

/* Tell the page that a message has arrived in a state. Ring the bell if a waiting receiver can take the message or has
   to look earlier than it planned. `returned`: the message has come back, perhaps to an old position. */
void move_announce(mq_queue *queue, enum mq_state state, const struct message_name *name, bool returned);

/* The file of this claimed message has so many bytes. So it need not be asked for them when the claim is settled. */
void move_note_size(mq_queue *queue, const struct message_name *name, int64_t size);

/* Count messages that came from one state to another by another way. */
void move_count(mq_queue *queue, enum mq_state from, enum mq_state to, const struct message_name *name, int64_t size);

/* Count messages that are gone although their file stays. */
void move_count_out(mq_queue *queue, enum mq_state from, const struct message_name *name, int64_t size);

/* Count messages that came into the queue by another way; the second call: messages that were sent. */
void move_count_in(mq_queue *queue, enum mq_state to, const struct message_name *name, int64_t size);
void move_count_sent(mq_queue *queue, enum mq_state to, const struct message_name *name, int64_t size);

#endif
