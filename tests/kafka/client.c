/*
 * Producers and consumers of Kafka that know nothing of mq.
 *
 *     client BROKERS put TOPIC     a record a line: KEY, TAB, VALUE, and any number of TAB, NAME=VALUE; \xXX is a byte, and
 *                                  - alone is no key, no value
 *     client BROKERS get TOPIC     print all that is in it in the same form, the partition and a TAB before it
 *     client BROKERS fill TOPIC N SIZE    put N records of a size as fast as an idempotent producer can
 *     client BROKERS drain TOPIC N        get that many as fast as a consumer can
 *
 * The last two print how many a second.
 */
#include <librdkafka/rdkafka.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static void die(const char *what)
{
    fprintf(stderr, "client: %s\n", what);
    exit(1);
}

static rd_kafka_t *make(rd_kafka_type_t type, const char *brokers)
{
    char problem[512];
    const char *const settings[][2] = {{"bootstrap.servers", brokers},
                                       {"enable.idempotence", "true"},
                                       {"linger.ms", "2"},
                                       {"group.id", "client"},
                                       {"enable.partition.eof", "true"},
                                       {"enable.auto.commit", "false"},
                                       {"auto.offset.reset", "earliest"},
                                       {"fetch.wait.max.ms", "50"}};
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    rd_kafka_conf_set_log_cb(conf, NULL);
    for (size_t i = 0; i < sizeof settings / sizeof *settings; i++)
        if (rd_kafka_conf_set(conf, settings[i][0], settings[i][1], problem, sizeof problem) != RD_KAFKA_CONF_OK)
            die(problem);
    rd_kafka_t *handle = rd_kafka_new(type, conf, problem, sizeof problem);
    if (!handle)
        die(problem);
    return handle;
}

/* ---- producers ------------------------------------------------------------------- */

/* Replace each \xXX by its byte, in place. Returns the length. */
static size_t unescape(char *text)
{
    char *to = text;
    unsigned byte;
    for (const char *from = text; *from; to++)
        if (sscanf(from, "\\x%2x", &byte) == 1) {
            *to = (char)byte;
            from += 4;
        } else {
            *to = *from++;
        }
    *to = '\0';
    return (size_t)(to - text);
}

static void put_line(rd_kafka_t *handle, const char *topic, char *line)
{
    char *key = strtok(line, "\t"), *value = strtok(NULL, "\t"), *header;
    rd_kafka_headers_t *headers = rd_kafka_headers_new(8);
    const bool has_key = key && strcmp(key, "-") != 0, has_value = value && strcmp(value, "-") != 0;
    while ((header = strtok(NULL, "\t"))) {
        char *is = strchr(header, '=');
        if (!is)
            die("a header without =");
        *is = '\0';
        const size_t size = unescape(is + 1);
        rd_kafka_header_add(headers, header, -1, is + 1, (ssize_t)size);
    }
    const size_t key_size = has_key ? unescape(key) : 0, value_size = has_value ? unescape(value) : 0;
    if (__extension__(rd_kafka_producev(handle, RD_KAFKA_V_TOPIC(topic), RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
                                        RD_KAFKA_V_KEY(has_key ? key : NULL, key_size),
                                        RD_KAFKA_V_VALUE(has_value ? value : NULL, value_size),
                                        RD_KAFKA_V_HEADERS(headers), RD_KAFKA_V_END)))
        die("cannot produce");
}

static void flush(rd_kafka_t *handle)
{
    if (rd_kafka_flush(handle, 60000))
        die("not all is produced");
}

static void put(rd_kafka_t *handle, const char *topic)
{
    static char line[1 << 20];
    while (fgets(line, sizeof line, stdin)) {
        line[strcspn(line, "\n")] = '\0';
        put_line(handle, topic, line);
    }
    flush(handle);
}

static void fill(rd_kafka_t *handle, const char *topic, long count, size_t size)
{
    char *body = calloc(1, size);
    for (long i = 0; body && i < count; i++) {
        while (__extension__(rd_kafka_producev(handle, RD_KAFKA_V_TOPIC(topic),
                                               RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_VALUE(body, size),
                                               RD_KAFKA_V_END)) == RD_KAFKA_RESP_ERR__QUEUE_FULL)
            rd_kafka_poll(handle, 10);
        rd_kafka_poll(handle, 0);
    }
    free(body);
    flush(handle);
}

/* ---- consumers ------------------------------------------------------------------- */

static void print_bytes(const void *data, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        const unsigned char byte = ((const unsigned char *)data)[i];
        printf(byte < ' ' || byte == 0x7f ? "\\x%02x" : "%c", byte);
    }
}

static void print_record(const rd_kafka_message_t *record)
{
    rd_kafka_headers_t *headers;
    const char *name;
    const void *value;
    size_t size;
    printf("%d\t", (int)record->partition);
    print_bytes(record->key ? record->key : "-", record->key ? record->key_len : 1);
    putchar('\t');
    print_bytes(record->payload ? record->payload : "-", record->payload ? record->len : 1);
    if (!rd_kafka_message_headers(record, &headers))
        for (size_t i = 0; !rd_kafka_header_get_all(headers, i, &name, &value, &size); i++) {
            printf("\t%s=", name);
            print_bytes(value, size);
        }
    putchar('\n');
}

/* All partitions from the beginning; `most` records, or 0: to their ends. */
static void get(rd_kafka_t *handle, const char *topic, long most)
{
    const struct rd_kafka_metadata *metadata;
    rd_kafka_topic_t *one = rd_kafka_topic_new(handle, topic, NULL);
    if (rd_kafka_metadata(handle, 0, one, &metadata, 10000))
        die("nothing is known of the topic");
    int open = metadata->topics[0].partition_cnt;
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(open);
    for (int i = 0; i < open; i++)
        rd_kafka_topic_partition_list_add(list, topic, i)->offset = RD_KAFKA_OFFSET_BEGINNING;
    rd_kafka_assign(handle, list);
    for (long got = 0; most ? got < most : open > 0;) {
        rd_kafka_message_t *record = rd_kafka_consumer_poll(handle, 10000);
        if (!record || (record->err && record->err != RD_KAFKA_RESP_ERR__PARTITION_EOF))
            die(record ? rd_kafka_err2str(record->err) : "nothing comes");
        open -= record->err != 0;
        got += record->err == 0;
        if (!record->err && !most)
            print_record(record);
        rd_kafka_message_destroy(record);
    }
    rd_kafka_topic_partition_list_destroy(list);
    rd_kafka_metadata_destroy(metadata);
    rd_kafka_topic_destroy(one);
}

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

int main(int argc, char **argv)
{
    if (argc < 4)
        die("too few words");
    const char *verb = argv[2], *topic = argv[3];
    const bool is_producer = strcmp(verb, "put") == 0 || strcmp(verb, "fill") == 0;
    const long count = argc > 4 ? atol(argv[4]) : 0;
    rd_kafka_t *handle = make(is_producer ? RD_KAFKA_PRODUCER : RD_KAFKA_CONSUMER, argv[1]);
    const double begun = now();
    if (strcmp(verb, "put") == 0)
        put(handle, topic);
    else if (strcmp(verb, "fill") == 0 && argc > 5)
        fill(handle, topic, count, (size_t)atol(argv[5]));
    else
        get(handle, topic, count);
    if (count)
        printf("%.0f\n", (double)count / (now() - begun));
    fflush(stdout);
    _exit(0); /* to end a consumer in order takes seconds */
}
