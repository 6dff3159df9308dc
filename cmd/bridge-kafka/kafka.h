/*
 * A connection to a cluster of Kafka, by librdkafka, which has threads of its own and connects anew by itself. Its
 * callbacks are called in this thread, when it is polled.
 *
 *     kafka_prepare(&kafka, &url, is_out);
 *     result = kafka_open(&kafka, &bridge, RD_KAFKA_PRODUCER, kafka_settings(&kafka));
 *     rd_kafka_queue_io_event_enable(queue, kafka.event, …);
 *     result = kafka_look(&kafka);                              at each step
 *     kafka_close(&kafka, 0);
 */
#ifndef KAFKA_H
#define KAFKA_H

#include <librdkafka/rdkafka.h>

#include "bridge/bridge.h"
#include "bridge/secret.h"
#include "bridge/url.h"

struct kafka {
    struct bridge *bridge;
    void *peer; /* whose callbacks are given this */
    const struct url *url;
    const char *topic, *group; /* group: NULL if messages go to the topic */
    const char *password;
    struct secret_files files;
    rd_kafka_t *handle; /* NULL: there is no connection */
    rd_kafka_topic_t *topic_handle;
    int event, timer;         /* descriptors: something is to be polled; it is time to look after a lost connection */
    int64_t away_since;       /* no broker is connected since then; monotonic; 0: one is */
    enum bridge_result fault; /* what a callback found */
    bool has_words;           /* bridge->trouble says why the last connection was lost */
};

/* The parameters that a URL may have; ends with NULL. */
extern const char *const kafka_parameters[];

/* What the URL means. Ends the program if that is nothing. */
void kafka_prepare(struct kafka *kafka, const struct url *url, bool is_out);

/* Settings, to which a caller adds its own; `more` are pairs of a name and a value, and end with NULL. NULL: trouble. */
rd_kafka_conf_t *kafka_settings(struct kafka *kafka, const char *const (*more)[2]);

/* Connect, and see that the topic is there. Takes the settings. If a signal comes first, the result is BRIDGE_OK, and the
   handle NULL. */
enum bridge_result kafka_open(struct kafka *kafka, rd_kafka_type_t type, rd_kafka_conf_t *settings);

/* Let the descriptor `event` become readable when there is something in the queue. */
void kafka_watch(struct kafka *kafka, rd_kafka_queue_t *queue);

/* Before what has come is polled: take note of what woke us. After it: what the callbacks found, or that the connection
   was away for too long. */
void kafka_wake(struct kafka *kafka);
enum bridge_result kafka_look(struct kafka *kafka);

/* A broker has answered. */
void kafka_heard(struct kafka *kafka);

/* What an error means; it is kept as trouble. */
enum bridge_result kafka_trouble(struct kafka *kafka, rd_kafka_resp_err_t error);

/* `flags` are those of rd_kafka_destroy_flags. */
void kafka_close(struct kafka *kafka, int flags);

#endif
