/*
 * Where mq-send and mq-bridge send to: a queue, a topic or a log, perhaps as part of a transaction.
 *
 *     status = destination_open(&destination, "jobs");
 *     error = destination_send(&destination, message, &options, id);
 */
#ifndef DESTINATION_H
#define DESTINATION_H

#include <mq.h>

struct destination {
    const char *name;
    mq_queue *queue; /* or: */
    mq_topic *topic;
    mq_log *log;
    mq_tx *tx; /* NULL: none */
};

/* Open what has the name, or a new queue; reports why it cannot. An exit status. */
int destination_open(struct destination *destination, const char *name);

void destination_close(struct destination *destination);

/* As mq_send and its kin. `ret_offsets` is filled if it is a log; NULL: nobody asks. */
int destination_send(const struct destination *to, mq_message *message, const struct mq_send_options *options,
                     char *ret_id, uint64_t *ret_offset);
int destination_send_batch(const struct destination *to, mq_message *const *messages, size_t count,
                           const struct mq_send_options *options, char (*ret_ids)[MQ_ID_SIZE], uint64_t *ret_offsets,
                           size_t *ret_sent);
int destination_send_bodies(const struct destination *to, const mq_message *message, const struct iovec *bodies,
                            size_t count, const struct mq_send_options *options, char (*ret_ids)[MQ_ID_SIZE],
                            uint64_t *ret_offsets, size_t *ret_sent);

/* The largest batch that is written as one unit. */
size_t destination_batch_most(const struct destination *to, const struct mq_send_options *options);

#endif
