/*
 * Receiving, for one message (mq_receive) and for several (mq_receive_batch), from one queue or several (mq_sources).
 *
 *     got = receive_claim(&queues, options, max_count, &claimed);
 *
 * Returns 1 if something was claimed, 0 if the time was up first, -EINVAL for bad options, -ECANCELED, -EACCES or
 * -EROFS if this process may not receive, or another negative errno.
 */
#ifndef MQ_RECEIVE_H
#define MQ_RECEIVE_H

#include <poll.h>

#include "lifecycle/claim.h"
#include "queue/wait.h"

/* Several queues, and what waiting on them needs: room for a member each, and for WAIT_FDS(count) descriptors. */
struct receive_queues {
    mq_queue *const *queues;
    size_t count, first; /* `first` is tried first, the others follow in turn */
    size_t which;        /* set by each call: the queue that was claimed from, or that the error is about */
    bool slept;          /* only those that woke this receiver are looked into */
    struct wait_member *members;
    struct pollfd *fds;
    int *inotify; /* as in struct wait_queue */
};

/* Claim as claim_next does, from the first of the queues that has something. If none has, wait as long as the options
   say. */
int receive_claim(struct receive_queues *queues, const struct mq_receive_options *options, uint64_t max_count,
                  struct claimed *ret_claimed);

/* What mq_receive and mq_receive_batch do, from the first of the queues that has something. */
int receive_message(struct receive_queues *queues, const struct mq_receive_options *options, mq_message **ret_message);
int receive_batch(struct receive_queues *queues, const struct mq_receive_options *options, uint64_t max_count,
                  mq_batch *batch);

/* One queue, as struct receive_queues has it: RECEIVE_ONE(queue) lives as long as the block that it is in. */
#define RECEIVE_ONE(queue)                                                                                             \
    (&(struct receive_queues){.queues = &(queue),                                                                      \
                              .count = 1,                                                                              \
                              .members = &(struct wait_member){0},                                                     \
                              .fds = (struct pollfd[WAIT_FDS(1)]){{0}}})
/* Tell a message of a group its offset, which its position says. */
void receive_set_offset(const mq_queue *queue, const struct message_name *name, mq_message *message);

/* How long such a claim is valid. */
int64_t receive_ack_timeout(const mq_queue *queue, const struct mq_receive_options *options);

/* Let a batch show the messages of a file that nobody claims: mq_batch_next hands them out. The batch closes `file`. */
int receive_view(mq_batch *batch, int file, const struct message_name *name);

/* Where in the file the message lies that was handed out last. */
void receive_extent(const mq_batch *batch, uint32_t *ret_offset, uint32_t *ret_length);

#endif
