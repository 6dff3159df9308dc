/*
 * Publishing: drafts become messages of a queue.
 *
 *     error = publish(queue, drafts, count, options, &published);
 *
 * Returns 0 if the messages of all drafts are in the queue, and are as durable as their drafts say. After an error the
 * first `published` drafts are in the queue, and nobody sees the others. -ENOBUFS: the queue is full. -ECANCELED: the
 * sender was told to stop waiting for room. -ETIMEDOUT: the first draft is older than a day.
 *
 * If the queue has an outlet, that takes the drafts once there is room for them, and nobody sees them yet.
 */
#ifndef MQ_PUBLISH_H
#define MQ_PUBLISH_H

#include "lifecycle/draft.h"

/* A file in tmp/ that is older than this has no writer: a sender writes for a day at most. */
#define PUBLISH_ABANDONED (36 * 3600 * CLOCK_SECOND)

/* The most drafts that one call publishes if they have to be durable. For the disk they cost little more than one. */
#define PUBLISH_MAX 16
size_t publish_max(const mq_queue *queue, const struct mq_send_options *options);

/* Wait for room if there is a max-depth, and publish drafts in their order. */
int publish(mq_queue *queue, struct draft *drafts, size_t count, const struct mq_send_options *options,
            size_t *ret_published);

/* Steps of it, for drafts that lie in the bucket `dir` of their state: make them durable; and, where the directory has
   lost the queue's name, move one to the queue that has the name now, or take it back. 0: it was sent. */
int publish_sync(mq_queue *queue, const struct draft *drafts, size_t count, int dir);
int publish_follow(mq_queue *queue, struct draft *draft, int dir);

/* Take back a file that was published in a lane, or in none: lane is empty. What is gone already stays sent. */
void publish_take_back(mq_queue *queue, const char *lane, enum mq_state state, const struct message_name *name,
                       uint64_t size);

/* Whether there is room in the queue for a draft's messages, beside those that its outlet has taken. -ENOBUFS: it is
   full. */
int publish_look_for_room(mq_queue *queue, const struct draft *draft, const struct mq_send_options *options);

#endif
