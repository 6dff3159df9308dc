/* A handle that works fast: what it does not look at again, and that it finds the queue, and the claim, that are there. */
#include <errno.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/id.h"
#include "mq.h"
#include "unit.h"

#define HOUR INT64_C(3600000000)
#define MARKS 1000

static char *spool;

static void marks(void)
{
    uint64_t series = 0, drawn[MARKS];
    for (size_t i = 0; i < MARKS; i++) {
        drawn[i] = id_random_of(&series, 5, 7);
        EXPECT(id_random_after(drawn[i]) != drawn[i]);
        for (size_t j = 0; j < i; j++)
            EXPECT(drawn[i] != drawn[j] && id_random_after(drawn[i]) != id_random_after(drawn[j]));
    }
    uint64_t forked[] = {series, series, series};
    const uint64_t one = id_random_of(&forked[0], 5, 7);
    EXPECT(id_random_of(&forked[1], 6, 7) != one && id_random_of(&forked[2], 5, 8) != one);
}

/* Ids of one handle, also in a child that goes on with the same handle. */
static void ids(void)
{
    struct id_source source = {0};
    char id[4][ID_UUID_SIZE], of_child[ID_UUID_SIZE];
    int pipes[2];
    for (int i = 0; i < 3; i++) {
        id_make_of(&source, 1700000000123456 + i * 1000, id[i]);
        EXPECT(id_is_in_series(id[i]) && strncmp(id[i], "018bcfe5-", 9) == 0);
    }
    EXPECT(strcmp(id[0], id[1]) != 0 && strcmp(id[1], id[2]) != 0);
    EXPECT(pipe(pipes) == 0);
    const pid_t child = fork();
    id_make_of(&source, 1700000000123456, id[3]);
    if (child == 0)
        _exit(write(pipes[1], id[3], ID_UUID_SIZE) != ID_UUID_SIZE);
    EXPECT(read(pipes[0], of_child, ID_UUID_SIZE) == ID_UUID_SIZE && id_is_in_series(of_child));
    EXPECT(waitpid(child, NULL, 0) == child && strncmp(of_child + 14, id[3] + 14, 18) != 0);
    close(pipes[0]);
    close(pipes[1]);
    id_source_free(&source);
}

static void send_body(mq_queue *queue, const char *body)
{
    struct mq_send_options options = {MQ_SEND_DEFAULTS};
    mq_message *message;
    options.no_sync = true;
    EXPECT(mq_message_new(&message) == 0);
    mq_message_set_body(message, body, strlen(body));
    EXPECT(mq_send(queue, message, &options, NULL) == 0);
    mq_message_free(message);
}

static int claim(mq_queue *queue, mq_message **ret_message)
{
    struct mq_receive_options options = {MQ_RECEIVE_DEFAULTS};
    options.wait = 0;
    return mq_receive(queue, &options, ret_message);
}

/* The queue is deleted and made anew between two sends, and between two claims, that follow each other at once. */
static void made_anew(void)
{
    mq_queue *queue;
    mq_message *message;
    EXPECT(mq_create(spool, "jobs") >= 0 && mq_open(spool, "jobs", 0, &queue) == 0);
    for (int round = 0; round < 20; round++) {
        send_body(queue, "old");
        send_body(queue, "old");
        EXPECT(mq_delete(spool, "jobs", true) == 0 && mq_create(spool, "jobs") >= 0);
        send_body(queue, "new");
        EXPECT(claim(queue, &message) == 1);
        EXPECT(mq_delete(spool, "jobs", true) == 0 && mq_create(spool, "jobs") >= 0);
        EXPECT(mq_ack(queue, mq_message_receipt(message)) == -ESTALE);
        mq_message_free(message);
        EXPECT(claim(queue, &message) == 0);
    }
    mq_close(queue);
}

static void move(const char *from, const char *to)
{
    char old[256], new[256];
    snprintf(old, sizeof old, "%s/%s", spool, from);
    snprintf(new, sizeof new, "%s/%s", spool, to);
    EXPECT(rename(old, new) == 0);
}

/* The queue loses its name in less time than a look stays good for. */
static void without_name(void)
{
    mq_queue *queue;
    mq_message *message, *none;
    EXPECT(mq_open(spool, "jobs", 0, &queue) == 0);
    send_body(queue, "one");
    send_body(queue, "two");
    EXPECT(claim(queue, &message) == 1);
    move("jobs", "jobs.away");
    EXPECT(claim(queue, &none) == -ENOENT);
    move("jobs.away", "jobs");
    EXPECT(claim(queue, &none) == 1 && mq_ack(queue, mq_message_receipt(none)) == 0);
    mq_message_free(none);
    move("jobs", "jobs.away");
    const int done = mq_ack(queue, mq_message_receipt(message)); /* the claim is where it was, with the queue */
    EXPECT(done == 0 || done == -ENOENT);
    move("jobs.away", "jobs");
    EXPECT(mq_ack(queue, mq_message_receipt(message)) == (done == 0 ? -ESTALE : 0));
    mq_message_free(message);
    EXPECT(claim(queue, &message) == 0);
    mq_close(queue);
}

/* The claim has another name, which another handle gave it; or it is over. */
static void moved_on(void)
{
    mq_queue *queue, *other;
    mq_message *messages[3];
    EXPECT(mq_open(spool, "jobs", 0, &queue) == 0 && mq_open(spool, "jobs", 0, &other) == 0);
    for (int i = 0; i < 3; i++)
        send_body(queue, "body");
    for (int i = 0; i < 3; i++)
        EXPECT(claim(queue, &messages[i]) == 1);
    EXPECT(mq_extend(other, mq_message_receipt(messages[0]), HOUR) == 0);
    EXPECT(mq_ack(queue, mq_message_receipt(messages[0])) == 0);
    EXPECT(mq_ack(queue, mq_message_receipt(messages[0])) == -ESTALE);
    EXPECT(mq_release(other, mq_message_receipt(messages[1])) == 0);
    EXPECT(mq_ack(queue, mq_message_receipt(messages[1])) == -ESTALE);
    EXPECT(mq_ack(queue, mq_message_receipt(messages[2])) == 0);
    for (int i = 0; i < 3; i++)
        mq_message_free(messages[i]);
    EXPECT(claim(queue, &messages[1]) == 1); /* the one that was released, and no other */
    EXPECT(mq_ack(queue, mq_message_receipt(messages[1])) == 0);
    mq_message_free(messages[1]);
    EXPECT(claim(queue, &messages[1]) == 0);
    mq_close(queue);
    mq_close(other);
}

int main(void)
{
    char *remove;
    spool = unit_directory();
    marks();
    ids();
    made_anew();
    without_name();
    moved_on();
    EXPECT(asprintf(&remove, "rm -rf '%s'", spool) > 0 && system(remove) == 0);
    free(remove);
    free(spool);
    return unit_failures > 0;
}
