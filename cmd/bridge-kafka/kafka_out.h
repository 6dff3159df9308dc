/* Out to a topic of Kafka: records of an idempotent producer, confirmed by all replicas that are in sync. */
#ifndef KAFKA_OUT_H
#define KAFKA_OUT_H

#include "bridge-kafka/kafka.h"

int kafka_out(struct kafka *kafka, const char *queue);

#endif
