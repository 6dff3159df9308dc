/* mq-bridge-kafka: carry messages between a queue here and a topic of Kafka. */
#include "bridge-kafka/kafka_in.h"
#include "bridge-kafka/kafka_out.h"
#include "bridge/arguments.h"
#include "cli/cli.h"

static const char *const schemes[] = {"kafka", "kafkas", NULL};

int main(int argc, char **argv)
{
    struct bridge_arguments arguments;
    struct bridge bridge;
    struct kafka kafka;
    struct url url;
    const char *queue;
    bridge_parse(argc, argv, &arguments);
    const bool is_out = bridge_sides_of_hosts(&arguments, schemes, kafka_parameters, &url, &queue);
    kafka_prepare(&kafka, &url, is_out);
    kafka.bridge = &bridge;
    /* The threads of librdkafka leave signals alone, since they are blocked before these begin. */
    const int status = bridge_open(&bridge, &arguments, url.shown);
    if (status != STATUS_DONE)
        return status;
    return is_out ? kafka_out(&kafka, queue) : kafka_in(&kafka, queue);
}
