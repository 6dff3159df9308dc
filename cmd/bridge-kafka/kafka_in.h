/* In from a topic of Kafka, as a member of a group of consumers, whose offsets are committed after messages are safe
   here. */
#ifndef KAFKA_IN_H
#define KAFKA_IN_H

#include "bridge-kafka/kafka.h"

int kafka_in(struct kafka *kafka, const char *queue);

#endif
