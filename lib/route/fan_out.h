/* Sending to the queues of a route. */
#ifndef MQ_FAN_OUT_H
#define MQ_FAN_OUT_H

#include "base/clock.h"
#include "lifecycle/outbox.h"
#include "queue/queue.h"
#include "route/topic_counts.h"

/* A topic as it was read. */
struct known {
    char name[MQ_QUEUE_NAME_SIZE];
    struct bindings bindings;
    struct route_topic topic;
};

struct mq_topic {
    struct outlet outlet; /* the first: what the feed knows of the topic */
    char name[MQ_QUEUE_NAME_SIZE];
    char *spool_path; /* as mq_open takes it */
    int spool;
    mq_queue *feed;      /* what messages are sent to, to be written; not a queue that anybody can open */
    struct known *known; /* the topics of this publication */
    size_t known_count, known_room;
    size_t most_bindings; /* of any of them */
    struct route route;   /* of what is being sent */
    struct topic_counts counts;
    mq_tx *tx;        /* what it is sent into */
    uint64_t largest; /* bytes of the largest body that is being sent; UINT64_MAX: to be looked for in the file */
    const struct mq_send_options *options;
    int64_t since; /* when it began, monotonic */
    bool owns_tx;  /* the transaction is this publication's own */
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

/* Find the route of a message, as route_find. What is read of topics stays until fan_out_forget. */
int fan_out_find(mq_topic *topic, const mq_message *message, struct route *ret_route);
void fan_out_forget(mq_topic *topic);

/* Send along the topic's route. */
int fan_out_send(mq_topic *topic, mq_tx *tx, const struct fan_out_load *load);

#endif
