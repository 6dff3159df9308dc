/*
 * Publishing: what was written to a file that nobody sees becomes messages of a queue.
 *
 *     struct draft draft = {.name = …, .state = …, .durable = …};
 *     publish_open(queue, &draft);   … write to draft.file.file …
 *     draft.size = …;
 *     publish(queue, &draft, 1, options, &published);
 *     publish_close(&draft);         in any case
 */
#ifndef MQ_PUBLISH_H
#define MQ_PUBLISH_H

#include "base/fs.h"
#include "queue/queue.h"

struct draft {
    struct fs_draft file;
    struct message_name name; /* but for its position */
    enum mq_state state;
    uint64_t size;
    bool durable;
    bool synced;       /* its content */
    unsigned openings; /* of the queue, when it was begun */
    int64_t begun;
};

int publish_open(mq_queue *queue, struct draft *draft);

/* How many drafts that shall be durable may be published together: the disk takes them for little more than one. */
#define PUBLISH_MOST 16
size_t publish_most(const mq_queue *queue, bool durable);

/* Wait for room where there is a max-depth, and publish drafts in their order. 0 all their messages are in the queue and
   as durable as they shall be; else so are those of the first `ret_published`, and nobody sees the others. */
int publish(mq_queue *queue, struct draft *drafts, size_t count, const struct mq_send_options *options,
            size_t *ret_published);

/* Whether there is room for a draft's messages beside what the queue's outlet has taken: 0 or -ENOBUFS. */
int publish_look_for_room(mq_queue *queue, const struct draft *draft);

/* Give a draft a name, as a file that the queue's users can read. */
int publish_link(mq_queue *queue, struct draft *draft, int dir, const char *text);

void publish_close(struct draft *draft);

/* Where and how long a message waits: what messages of one file have in common. */
struct schedule {
    int priority;
    int64_t time, expires;
};

/* What it does not say itself is as the queue has it. */
struct schedule publish_schedule(const mq_queue *queue, const mq_message *message, int64_t now);

/* The name that a message of these schedule gets, which has the message's id if it has one. */
struct message_name publish_name(const mq_message *message, const struct schedule *schedule);

/* The state that it begins in. */
enum mq_state publish_state(const struct message_name *name, int64_t now);

#endif
