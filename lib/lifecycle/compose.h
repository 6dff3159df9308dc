/*
 * Composing files of several messages: those that have the same priority, due time and expiry share a file.
 *
 *     error = compose_begin(&batch, queue, options);
 *     compose_fill(&batch, &input);                          as many of the next messages as belong together
 *     error = compose_draft(&batch, &draft);                 batch.count of them
 *
 * The content is composed in memory and written by one call. Bodies that lie in the caller's memory as they will lie in the
 * file are not copied at all.
 */
#ifndef MQ_COMPOSE_H
#define MQ_COMPOSE_H

#include <sys/uio.h>

#include "base/clock.h"
#include "base/id.h"
#include "lifecycle/draft.h"

/* What of a batch can be taken back (send_batch.c). */
struct sent_files;

/* What may end the bodies of messages that share their headers, in the order of trying. */
enum separation { BY_NEWLINE, BY_NULL, NOT_AT_ALL };

/* What the caller sends: messages, or one message that has one body after the other. */
struct send_input {
    mq_message *const *messages;
    mq_message *model; /* the message that has the bodies; NULL: `messages` */
    const struct iovec *bodies;
    enum separation separation;
    size_t count, taken;
    char (*ids)[MQ_ID_SIZE];
};

/* The messages of one file, as they are composed. */
struct batch {
    mq_queue *queue;
    const struct mq_send_options *options;
    uint32_t max_count, count;
    char *text; /* the memory serves one file after the other */
    size_t size, room;
    struct iovec
        in_place; /* the end of the content, if it lies in the caller's memory; the last separator follows it */
    char separator;
    int64_t now;
    char sent_at[CLOCK_RFC3339_SIZE];
    struct id_series ids;
    struct schedule schedule; /* of every message */
    struct message_name first;
    int64_t first_sent_at;    /* 0: now */
    char lane[LANE_KEY_SIZE]; /* of every message; empty: none */
    struct sent_files *files; /* NULL: what is sent is not taken back */
};

/* The message that is `ahead` messages behind the ones that were taken, and where its id is to be told; NULL: nowhere. */
mq_message *compose_message(const struct send_input *input, size_t ahead);
char *compose_id(const struct send_input *input, size_t ahead);

/* So many messages share a file at most. */
uint32_t compose_most(const mq_queue *queue, const struct mq_send_options *options);

/* The memory of `batch->text` serves one file after the other. */
int compose_begin(struct batch *batch, mq_queue *queue, const struct mq_send_options *options);

/* Take the next messages that can share a file; none if the first one needs a file of its own. */
void compose_fill(struct batch *batch, struct send_input *input);

/* The same, message by message: whether it can share the file, and adding it. */
bool compose_fits(const struct batch *batch, const mq_message *message, const struct schedule *schedule);
void compose_append(struct batch *batch, const mq_message *message, const struct schedule *schedule, const char *id);

/* Write the content to a file that is open, or to a new one, which is closed after an error. */
int compose_write(const struct batch *batch, struct draft *draft);
int compose_draft(const struct batch *batch, struct draft *ret_draft);

#endif
