/*
 * Receive messages from a queue, print them, and acknowledge each once it is printed:
 *
 *     cc consumer.c -o consumer $(pkg-config --cflags --libs libmq) && ./consumer jobs
 */
#include <mq.h>
#include <stdio.h>
#include <string.h>

static int print_body(mq_message *message)
{
    char buffer[4096];
    ssize_t size;
    while ((size = mq_message_read(message, buffer, sizeof buffer)) > 0)
        fwrite(buffer, 1, (size_t)size, stdout);
    putchar('\n');
    return size < 0 || fflush(stdout) != 0 ? -1 : 0;
}

int main(int argc, char **argv)
{
    struct mq_receive_options options = {MQ_RECEIVE_DEFAULTS};
    mq_queue *queue;
    mq_message *message;
    int got = mq_open(NULL, argc > 1 ? argv[1] : "jobs", MQ_CREATE, &queue);
    if (got < 0) {
        fprintf(stderr, "consumer: %s\n", strerror(-got));
        return 1;
    }
    options.wait = 1000000; /* a second without a message ends it */
    while ((got = mq_receive(queue, &options, &message)) == 1) {
        const char *receipt = mq_message_receipt(message);
        const int settled = print_body(message) == 0 ? mq_ack(queue, receipt) : mq_nack(queue, receipt, MQ_BACK_OFF);
        if (settled < 0)
            fprintf(stderr, "consumer: %s: %s\n", receipt, strerror(-settled));
        mq_message_free(message);
    }
    mq_close(queue);
    return got < 0;
}
