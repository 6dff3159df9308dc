/*
 * Messages as records of Kafka, and the reverse; mq-bridge-kafka(1) has the table.
 *
 *     error = record_headers(message, &headers);
 *     error = record_to_message(record, origin, message);
 */
#ifndef RECORD_H
#define RECORD_H

#include <librdkafka/rdkafka.h>
#include <mq.h>

#define RECORD_ORIGIN_SIZE 17

/* The headers of a record; the caller destroys them. NULL: out of memory. */
rd_kafka_headers_t *record_headers(const mq_message *message);

/* The key, which chooses the partition; NULL: none. It lives as long as the message. */
const char *record_key(const mq_message *message);

/* A name for the topic of the cluster, from which ids are made: other clusters have others. */
void record_origin(const char *cluster, const char *topic, char ret_origin[RECORD_ORIGIN_SIZE]);

/* Give a new message the id, the headers and what else the record has but its body. 0, or the error of a call that sets
   something, such as -E2BIG. */
int record_to_message(const rd_kafka_message_t *record, const char *origin, mq_message *message);

#endif
