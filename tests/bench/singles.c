/*
 * Messages one at a time, from one process: each is on the disk, or at least sent, before the next is begun.
 *
 *     singles QUEUE SIZE COUNT fast|durable [once]
 *
 * With `once` each is sent once, under an id that is made from its content. Prints the messages a second. Also what
 * fills a queue with one file a message. Needs $MQ_SPOOL.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "measure.h"
#include "mq.h"

static void must(int error, const char *what)
{
    if (error == 0)
        return;
    fprintf(stderr, "singles: %s: %s\n", what, strerror(-error));
    exit(1);
}

static void send_one(mq_queue *queue, const char *body, size_t size, bool durable, bool once)
{
    mq_message *message;
    struct mq_send_options options = {MQ_SEND_DEFAULTS};
    options.no_sync = !durable;
    options.once = once;
    must(mq_message_new(&message), "cannot make a message");
    mq_message_set_body(message, body, size);
    must(mq_send(queue, message, &options, NULL), "cannot send");
    mq_message_free(message);
}

int main(int argc, char **argv)
{
    const int size = (argc == 5 || argc == 6) ? atoi(argv[2]) : 0, count = (argc == 5 || argc == 6) ? atoi(argv[3]) : 0;
    char *body = size > 0 && count > 0 ? calloc(1, (size_t)size) : NULL;
    const bool durable = argc >= 5 && strcmp(argv[4], "durable") == 0, once = argc == 6 && strcmp(argv[5], "once") == 0;
    mq_queue *queue;
    if (!body) {
        fprintf(stderr, "usage: singles QUEUE SIZE COUNT fast|durable [once]\n");
        return 64;
    }
    memset(body, 'x', (size_t)size);
    must(mq_open(NULL, argv[1], MQ_CREATE, &queue), "cannot open");
    const double begun = microseconds();
    for (int i = 0; i < count; i++) {
        if (once && (size_t)size >= sizeof i)
            memcpy(body, &i, sizeof i);
        send_one(queue, body, (size_t)size, durable, once);
    }
    printf("%.0f\n", count / (microseconds() - begun) * 1e6);
    mq_close(queue);
    free(body);
    return 0;
}
