/* Several handles on one queue in several threads: each message is received once, and no two threads meet in memory. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

#include "mq.h"
#include "unit.h"

#define THREADS 4
#define MESSAGES 100

static char *spool;
static atomic_int received;

static void *send_all(void *unused)
{
    mq_queue *queue;
    (void)unused;
    if (mq_open(spool, "jobs", MQ_CREATE, &queue) != 0)
        return "cannot open";
    for (int i = 0; i < MESSAGES; i++) {
        mq_message *message;
        if (mq_message_new(&message) != 0)
            return "no memory";
        mq_message_set_body(message, "work", 4);
        const int error = mq_send(queue, message, &(struct mq_send_options){.no_sync = true, .cancel_fd = -1}, NULL);
        mq_message_free(message);
        if (error)
            return "cannot send";
    }
    mq_close(queue);
    return NULL;
}

static void *receive_all(void *unused)
{
    const struct mq_receive_options options = {.wait = 200000, .cancel_fd = -1};
    mq_queue *queue;
    mq_message *message = NULL;
    (void)unused;
    if (mq_open(spool, "jobs", MQ_CREATE, &queue) != 0)
        return "cannot open";
    while (received < THREADS * MESSAGES && mq_receive(queue, &options, &message) >= 0) {
        if (!message)
            continue;
        if (mq_ack(queue, mq_message_receipt(message)) == 0)
            received++;
        mq_message_free(message);
        message = NULL;
    }
    mq_close(queue);
    return NULL;
}

int main(void)
{
    pthread_t threads[2 * THREADS];
    spool = unit_directory();
    for (int i = 0; i < THREADS; i++) {
        EXPECT(pthread_create(&threads[i], NULL, send_all, NULL) == 0);
        EXPECT(pthread_create(&threads[THREADS + i], NULL, receive_all, NULL) == 0);
    }
    for (int i = 0; i < 2 * THREADS; i++) {
        void *problem;
        EXPECT(pthread_join(threads[i], &problem) == 0);
        if (problem)
            EXPECT_TEXT(problem, "");
    }
    EXPECT(received == THREADS * MESSAGES);
    EXPECT(mq_delete(spool, "jobs", true) == 0);
    rmdir(spool);
    free(spool);
    return unit_failures != 0;
}
