/*
 * Topics and transactions through the library, from one process.
 *
 *     moves publish SIZE COUNT fast|durable    messages to a topic that 10 queues are bound to
 *     moves lines SIZE COUNT fast|durable      the same, 256 messages a file
 *     moves chain SIZE COUNT fast|durable      messages that are received, and acked in one step with a send
 *
 * Prints name=value: how many messages a second are delivered, counted in each queue; the median microseconds of a step;
 * and beside it those of a send to one queue, in turn with the steps. Makes its topic and its queues in $MQ_SPOOL, which
 * should be one of its own, and leaves the messages in them.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>

#include "measure.h"
#include "mq.h"

#define TIMEOUT INT64_C(30000000) /* microseconds */
#define QUEUES 10
#define BATCH 256

static char *body;
static size_t size;
static struct mq_send_options options = {MQ_SEND_DEFAULTS};

static void must(int error, const char *what)
{
    if (error >= 0)
        return;
    fprintf(stderr, "moves: %s: %s\n", what, strerror(-error));
    exit(1);
}

static mq_message *new_message(void)
{
    mq_message *message;
    must(mq_message_new(&message), "cannot make a message");
    mq_message_set_body(message, body, size);
    return message;
}

static mq_queue *open_queue(const char *name)
{
    mq_queue *queue;
    must(mq_open(NULL, name, MQ_CREATE, &queue), "cannot open");
    return queue;
}

static mq_topic *make_topic(void)
{
    mq_topic *topic;
    struct mq_binding binding = {0};
    must(mq_topic_create(NULL, "fan"), "cannot create");
    for (int i = 0; i < QUEUES; i++) {
        char name[16];
        snprintf(name, sizeof name, "fan-%d", i);
        binding.destination = name;
        must(mq_create(NULL, name), "cannot create");
        must(mq_topic_bind(NULL, "fan", &binding), "cannot bind");
    }
    must(mq_topic_open(NULL, "fan", &topic), "cannot open");
    return topic;
}

static mq_topic *topic;
static mq_queue *single, *from, *to;

static void send_single(void)
{
    mq_message *message = new_message();
    must(mq_send(single, message, &options, NULL), "cannot send");
    mq_message_free(message);
}

static void publish(void)
{
    mq_message *message = new_message();
    must(mq_topic_send(topic, NULL, message, &options, NULL), "cannot publish");
    mq_message_free(message);
}

static void publish_lines(void)
{
    struct iovec bodies[BATCH];
    size_t sent;
    mq_message *message;
    must(mq_message_new(&message), "cannot make a message");
    for (int i = 0; i < BATCH; i++)
        bodies[i] = (struct iovec){body, size};
    must(mq_topic_send_bodies(topic, NULL, message, bodies, BATCH, &options, NULL, &sent), "cannot publish");
    mq_message_free(message);
}

static void work_on_one(void)
{
    const struct mq_receive_options receive = {MQ_RECEIVE_DEFAULTS};
    static mq_tx *tx;
    mq_message *message, *result = new_message();
    must(mq_receive(from, &receive, &message), "cannot receive");
    must(tx ? mq_tx_renew(tx, TIMEOUT) : mq_tx_begin(NULL, TIMEOUT, &tx), "cannot begin");
    must(mq_tx_send(tx, to, result, &options, NULL), "cannot send");
    must(mq_tx_take(tx, from, mq_message_receipt(message), 0), "cannot take");
    must(mq_tx_commit(tx), "cannot commit");
    mq_message_free(message);
    mq_message_free(result);
}

/* Take the step and a send to one queue in turn, so that what else the machine does hits both. */
static void measure(void (*step)(void), int count, int delivered)
{
    double *times = calloc((size_t)count, sizeof *times), *single_times = calloc((size_t)count, sizeof *times), sum = 0;
    must(times && single_times ? 0 : -ENOMEM, "cannot measure");
    for (int i = 0; i < count; i++) {
        const double begun = microseconds();
        step();
        const double stepped = microseconds();
        send_single();
        single_times[i] = microseconds() - stepped;
        times[i] = stepped - begun;
        sum += times[i];
    }
    const double median = percentile(times, count, 50), single_median = percentile(single_times, count, 50);
    printf("rate=%.0f median_rate=%.0f step_us=%.1f send_us=%.1f\n", delivered * (double)count / sum * 1e6,
           delivered / median * 1e6, median, single_median);
    free(times);
    free(single_times);
}

int main(int argc, char **argv)
{
    const int count = argc == 5 ? atoi(argv[3]) : 0;
    size = argc == 5 ? (size_t)atoi(argv[2]) : 0;
    body = size > 0 && count > 0 ? calloc(1, size) : NULL;
    const bool is_chain = body && strcmp(argv[1], "chain") == 0, is_lines = body && strcmp(argv[1], "lines") == 0;
    if (!body || (!is_chain && !is_lines && strcmp(argv[1], "publish") != 0)) {
        fprintf(stderr, "usage: moves publish|lines|chain SIZE COUNT fast|durable\n");
        return 64;
    }
    memset(body, 'x', size);
    options.no_sync = strcmp(argv[4], "durable") != 0;
    single = open_queue("single");
    if (is_chain) {
        from = single;
        to = open_queue("to");
        send_single();
        measure(work_on_one, count, 1);
    } else {
        topic = make_topic();
        measure(is_lines ? publish_lines : publish, count, is_lines ? QUEUES * BATCH : QUEUES);
    }
    mq_topic_close(topic);
    mq_close(single);
    mq_close(to);
    free(body);
    return 0;
}
