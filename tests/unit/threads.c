/* Several handles on one queue in several threads: each message is received once, and no two threads meet in memory.
   Nor do a process and its fork have the same random numbers. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/id.h"
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

/* Random numbers are taken from the kernel ahead. */
static void a_fork_has_other_numbers(void)
{
    int numbers[2];
    uint64_t of_child = 0;
    (void)id_random();
    EXPECT(pipe(numbers) == 0);
    const pid_t child = fork();
    if (child == 0) {
        const uint64_t number = id_random();
        _exit(write(numbers[1], &number, sizeof number) != sizeof number);
    }
    EXPECT(read(numbers[0], &of_child, sizeof of_child) == sizeof of_child);
    EXPECT(waitpid(child, NULL, 0) == child && of_child != id_random());
    close(numbers[0]);
    close(numbers[1]);
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
    a_fork_has_other_numbers();
    EXPECT(mq_delete(spool, "jobs", true) == 0);
    rmdir(spool);
    free(spool);
    return unit_failures != 0;
}
