/*
 * A cluster of Kafka of one broker in this process, as librdkafka has it for tests. It prints the broker, and then obeys the
 * lines of its standard input, each with an answer of a line; it ends with them.
 *
 *     topic NAME PARTITIONS    make a topic; others are made with four partitions when they are asked for
 *     break NAME ERROR         answer questions about a topic with an error, by its number; 0: no longer
 *     fail REQUEST ERROR N     answer the next N requests of a kind, by its number, with an error
 *     down, up                 refuse connections, and end those that are there; what is stored stays
 *
 * It keeps five megabytes of a partition, forgets what is older, and does not look at the sequence numbers of producers.
 */
#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>
#include <stdio.h>
#include <string.h>

#define NAME "%249[A-Za-z0-9._-]"
#define BROKER 1

static rd_kafka_resp_err_t fail(rd_kafka_mock_cluster_t *cluster, int16_t request, rd_kafka_resp_err_t error, int count)
{
    for (int i = 0; i < count; i++)
        rd_kafka_mock_push_request_errors(cluster, request, 1, error);
    return RD_KAFKA_RESP_ERR_NO_ERROR;
}

static rd_kafka_resp_err_t obey(rd_kafka_mock_cluster_t *cluster, const char *line)
{
    char name[250];
    int number, error, count;
    if (sscanf(line, "topic " NAME " %d", name, &number) == 2)
        return rd_kafka_mock_topic_create(cluster, name, number, 1);
    if (sscanf(line, "fail %d %d %d", &number, &error, &count) == 3)
        return fail(cluster, (int16_t)number, (rd_kafka_resp_err_t)error, count);
    if (sscanf(line, "break " NAME " %d", name, &error) == 2) {
        rd_kafka_mock_topic_set_error(cluster, name, (rd_kafka_resp_err_t)error);
        return RD_KAFKA_RESP_ERR_NO_ERROR;
    }
    if (strcmp(line, "down\n") == 0)
        return rd_kafka_mock_broker_set_down(cluster, BROKER);
    if (strcmp(line, "up\n") == 0)
        return rd_kafka_mock_broker_set_up(cluster, BROKER);
    return RD_KAFKA_RESP_ERR__INVALID_ARG;
}

int main(void)
{
    char line[512], problem[512];
    rd_kafka_conf_t *settings = rd_kafka_conf_new();
    rd_kafka_conf_set_log_cb(settings, NULL);
    rd_kafka_t *handle = rd_kafka_new(RD_KAFKA_PRODUCER, settings, problem, sizeof problem);
    rd_kafka_mock_cluster_t *cluster = handle ? rd_kafka_mock_cluster_new(handle, BROKER) : NULL;
    if (!cluster) {
        fputs("mock: no cluster\n", stderr);
        return 1;
    }
    puts(rd_kafka_mock_cluster_bootstraps(cluster));
    for (fflush(stdout); fgets(line, sizeof line, stdin); fflush(stdout))
        puts(rd_kafka_err2name(obey(cluster, line)));
    rd_kafka_mock_cluster_destroy(cluster);
    rd_kafka_destroy(handle);
    return 0;
}
