/*
 * Drafts: files that are to become messages of a queue. No other process sees a draft until it is published.
 *
 *     schedule = draft_schedule(queue, message, now);
 *     name = draft_name(message, &schedule);
 *     error = draft_open(queue, &name, options, now, &draft);
 *     … write to draft.file.file, set draft.size …
 *     error = publish(queue, &draft, 1, options, &published);
 *     draft_close(&draft);                                       in any case
 *
 * Errors are a negative errno. -EACCES, -EROFS: this process may not send to the queue. -ENOENT: the queue is gone.
 */
#ifndef MQ_DRAFT_H
#define MQ_DRAFT_H

#include "base/fs_draft.h"
#include "format/lane_name.h"
#include "lifecycle/reservation.h"
#include "queue/queue.h"

/* What the messages of one file have in common. */
struct schedule {
    int priority;
    int64_t due;
    int64_t expires; /* 0: never */
    uint32_t attempts, max_attempts;
};

struct draft {
    struct fs_draft file;
    struct message_name name; /* without a position, which the publication gives it */
    enum mq_state state;
    uint64_t size;
    bool durable;
    bool synced; /* the content is on the disk */
    unsigned
        openings;   /* of the handle, when the draft was made: a draft of an earlier opening belongs to another queue */
    int64_t begun;  /* monotonic */
    uint64_t order; /* of the queue that the draft was made for */
    struct reservation reservation;
    char lane[LANE_KEY_SIZE]; /* of an ordered queue; empty: none */
};

/* The schedule of a message, with the queue's configuration where the message says nothing. */
struct schedule draft_schedule(const mq_queue *queue, const mq_message *message, int64_t now);

/* The name of a message with this schedule. It has no id if the message has none. */
struct message_name draft_name(const mq_message *message, const struct schedule *schedule);

/* Whether messages that are sent with these options are synced to the disk. */
bool draft_is_durable(const mq_queue *queue, const struct mq_send_options *options);

/* Whether a message belongs in a lane of an ordered queue, and in which. -EDOM: it has a priority, and ordered queues
   have none. */
int draft_lane(const mq_queue *queue, const mq_message *message, char ret_lane[LANE_KEY_SIZE]);

/* Whether the queue takes the message: -ENODATA: it lacks a header that the queue requires. The second is for messages that
   are written already. */
int draft_check(const mq_queue *queue, const mq_message *message);
int draft_check_file(const mq_queue *queue, const struct draft *draft);

/* Open a new file for the messages that `name` stands for. */
int draft_open(mq_queue *queue, const struct message_name *name, const struct mq_send_options *options, int64_t now,
               struct draft *ret_draft);

/* Open the queue that has the name now. -EBUSY: it does not keep the order that the draft was made for, so whoever sends
   must begin anew. */
int draft_reopen(mq_queue *queue, const struct draft *draft);

/* The file was written at this moment, as far as anybody can see. */
void draft_set_age(const struct draft *draft, int64_t moment);

/* Whether a sweep may soon take the draft for abandoned: then it is not published any more. */
bool draft_is_too_old(const struct draft *draft);

/* Close the file. If it was not published, it is removed. */
void draft_close(struct draft *draft);

/* Link a draft to a name in an open directory, as a file of the queue: one that was made for a queue that is gone gets
   the mode and owner of this queue's files first. */
int draft_link(mq_queue *queue, struct draft *draft, int dir, const char *text);

#endif
