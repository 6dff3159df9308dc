/*
 * Sending once: a draft becomes a message unless one of its id was sent within the dedup-window.
 *
 *     error = draft_open(queue, &name, options, now, &draft);
 *     … write to draft.file.file …
 *     error = send_once(queue, &draft, options, true, &is_duplicate);
 *     draft_close(&draft);                                       in any case
 *
 * Returns 0 if a message of that id is in the queue, or was, and is as durable as the draft says: this one, or if it is a
 * duplicate an earlier one. Errors are those of publish(), and -EACCES for a process that may not receive. -EBADMSG: the
 * mark of this id is damaged. -EINPROGRESS: the outlet has taken it, but a sync failed.
 * If the disk fails after the message was delivered, it stays in the queue although the call fails: other senders may have
 * reported it.
 */
#ifndef MQ_SEND_ONCE_H
#define MQ_SEND_ONCE_H

#include "format/sent_name.h"
#include "lifecycle/draft.h"

/* Without `sync` the caller makes the message durable later, by a sync of the whole file system. */
int send_once(mq_queue *queue, struct draft *draft, const struct mq_send_options *options, bool sync,
              bool *ret_is_duplicate);

/* How many of the next messages were sent before, as is seen without sending them. `next_id` says their ids, NULL at the
   end. The caller counts them, and makes them durable, as with `sync`. */
size_t send_once_known(mq_queue *queue, const char *(*next_id)(void *context, size_t ahead), void *context);

/* The slot that is current for the queue, and its tmp/. */
int send_once_slot(mq_queue *queue, struct sent_slot *ret_slot, int *ret_tmp);

#endif
