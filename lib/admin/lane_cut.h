/*
 * Taking one message out of a lane, whatever file it lies in and whoever has the lane's token: see lane_cuts.h for the steps.
 *
 *     lane_cut_is_meant(entry)                    the entry is of a message in a lane
 *     done = lane_cut(queue, entry, act, argument);
 *
 * The action gets the draft of a cut, a file of its own, or the token of a head. 1: it was taken out. 0: it is not there any
 * more, or is being worked on. Errors are negative errno values, and leave it where it was.
 */
#ifndef MQ_LANE_CUT_H
#define MQ_LANE_CUT_H

#include "admin/lane_tokens.h"
#include "admin/single_out.h"

bool lane_cut_is_meant(const struct mq_entry *entry);

/* An action that cannot act on a token returns -EOPNOTSUPP for it. */
int lane_cut(mq_queue *queue, const struct mq_entry *entry, single_out_fn *act, const void *argument);

/* The same of the message `one` of the file dir/file, which has waited in the lane `key`. `token` is where the lane's was not
   long ago: if it still is there, it need not be searched for. It may be NULL. */
int lane_cut_waiting(mq_queue *queue, const char *key, int dir, const char *file, enum mq_state state,
                     const struct message_name *one, const struct lane_token *token, single_out_fn *act,
                     const void *argument);

#endif
