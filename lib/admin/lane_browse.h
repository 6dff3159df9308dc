/*
 * The messages that wait in the lanes of an ordered queue behind a head: showing and opening them. A head is shown by its
 * token, as a message of the token's state.
 *
 * The entry of a waiting message has the key of its lane as its bucket. Errors are negative errno values.
 */
#ifndef MQ_LANE_BROWSE_H
#define MQ_LANE_BROWSE_H

#include "admin/lane_tokens.h"
#include "queue/queue.h"
#include "store/lane_dir.h"

/* Whether an entry is of a message that waits in a lane. */
bool lane_browse_is(const struct mq_entry *entry);

/* Note what a walk over a state comes to, if it is a token that stands for messages. */
int lane_browse_note(struct lane_tokens *heads, const struct bucket_file *file);

/* Show those that count as of this state: ready, or delayed if they have a due time. `heads` are the tokens that were shown
   before: what waited behind one of them is shown, although it may be the head by now. What `each` returns ends the walk. */
int lane_browse(mq_queue *queue, enum mq_state state, struct lane_tokens *heads,
                int (*each)(const struct mq_entry *entry, void *context), void *context);

/* The same by files. The first `ahead` messages of a file do not wait behind the head; of the others those wait that were not
   taken out of the lane, as `cuts` says (lane_cuts.h); negative: none was. `token` is the lane's, as it was when the walk
   began; NULL: it was not seen. `heads` may be NULL: none were shown. What `visit` returns ends the walk, if it is not 0. */
typedef int lane_browse_fn(void *context, const struct lane_file *file, uint32_t ahead, int cuts,
                           const struct lane_token *token);
int lane_browse_walk(mq_queue *queue, enum mq_state state, const struct lane_tokens *heads, lane_browse_fn *visit,
                     void *context);

/* Where the token of the lane of an entry was not long ago, if it is the entry that a walk shows; NULL: not known. */
const struct lane_token *lane_browse_token(const mq_queue *queue, const struct mq_entry *entry);

/* Open the directory that a message's file lies in. -ENOENT: it has moved on. */
int lane_browse_find(mq_queue *queue, const char *key, const char *file, struct message_name *ret_name);

/* Open the file of an entry. */
int lane_browse_open(mq_queue *queue, const struct mq_entry *entry, struct message_name *ret_name);

#endif
