/* Sending to the queues of a route. */
#ifndef MQ_FAN_OUT_H
#define MQ_FAN_OUT_H

#include <errno.h>

#include "base/clock.h"
#include "lifecycle/outbox.h"
#include "log/log_handles.h"
#include "queue/handles.h"
#include "queue/queue.h"
#include "route/topic.h"
#include "route/topic_counts.h"

/* A topic as it was read. */
struct known {
    char name[MQ_QUEUE_NAME_SIZE];
    struct topic_files files;
    struct bindings bindings;
    struct route_topic topic;
    bool is_current; /* it was looked at for this publication */
};

struct mq_topic {
    struct outlet outlet; /* the first: what the feed knows of the topic */
    char name[MQ_QUEUE_NAME_SIZE];
    char *spool_path; /* as mq_open takes it */
    int spool;
    mq_queue *feed;      /* what messages are sent to, to be written; not a queue that anybody can open */
    struct known *known; /* topics that were read */
    size_t known_count, known_room;
    size_t most_bindings; /* of any of them */
    struct route route;   /* of what is being sent */
    struct topic_counts counts;
    struct log_handles logs;
    struct handles handles; /* of queues that it has sent to; the transaction keeps them, too */
    mq_tx *tx;              /* what it is sent into */
    mq_tx *own;             /* for what is not sent into one of the user's; NULL: none yet */
    uint64_t largest;       /* bytes of the largest body that is being sent; UINT64_MAX: to be looked for in the file */
    const struct mq_send_options *options;
    int64_t since; /* when it began, monotonic */
    bool owns_tx;  /* the transaction is this publication's own */
    char refused_by[MQ_QUEUE_NAME_SIZE]; /* the queue that took the last message not; empty: none */
    bool may_send; /* this process is known to have the right */
};

/* What is sent: one message, several, or several bodies for one. */
struct fan_out_load {
    mq_message *const *messages; /* one is sent by mq_send */
    const mq_message *model;
    const struct iovec *bodies;
    size_t count;
    const struct mq_send_options *options;
    char (*ids)[MQ_ID_SIZE];
};

/* After this time a publication whose process has died is undone. */
#define FAN_OUT_TIME (600 * CLOCK_SECOND)

/* Begin a publication. Topics that were read before are read again if their files were replaced; what is read stays until
   the next publication begins, so all messages of one go by the same bindings. */
void fan_out_begin(mq_topic *topic);

/* mq_topic_open, but that dead letters of the queues that it sends to stay until a sweep. */
int topic_open(const char *spool, const char *name, mq_topic **ret_topic);

/* Find the route of a message, as route_find. */
int fan_out_find(mq_topic *topic, const mq_message *message, struct route *ret_route);

/* Send along the topic's route. */
int fan_out_send(mq_topic *topic, mq_tx *tx, const struct fan_out_load *load);

/* The same, through the topic's feed into a transaction; and unless it was sent within the window. */
int fan_out_send_to_several(mq_topic *topic, mq_tx *tx, const struct fan_out_load *load);
int fan_out_send_once(mq_topic *topic, const struct fan_out_load *load, int64_t dedup_window);

/* The topic's outlet: put a draft into the transaction for each queue of the route. */
int fan_out_take(struct outlet *outlet, mq_queue *feed, struct draft *draft);
extern const struct outlet_once fan_out_once;

/* Whether what was sent stands: -EINPROGRESS says so of a commit whose sync failed. */
static inline bool fan_out_is_sent(int error)
{
    return !error || error == -EINPROGRESS;
}

#endif
