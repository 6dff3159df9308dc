/* What one consumer's listing does not show, because another one was there meanwhile. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "mq.h"
#include "unit.h"

static char *spool;
static mq_queue *mine, *other;
static const struct mq_send_options sending = {.no_sync = true, .cancel_fd = -1};
static const struct mq_receive_options receiving = {.cancel_fd = -1};

/* A file of one message, one of three, and one of one. */
static void send_all(void)
{
    struct iovec three[] = {{(void *)(uintptr_t) "1", 1}, {(void *)(uintptr_t) "2", 1}, {(void *)(uintptr_t) "3", 1}};
    mq_message *message = NULL;
    size_t sent;
    EXPECT(mq_message_new(&message) == 0);
    mq_message_set_body(message, "0", 1);
    EXPECT(mq_send(mine, message, &sending, NULL) == 0);
    EXPECT(mq_send_bodies(mine, message, three, 3, &sending, NULL, &sent) == 0 && sent == 3);
    mq_message_set_body(message, "4", 1);
    EXPECT(mq_send(mine, message, &sending, NULL) == 0);
    mq_message_free(message);
}

static void expect_next(mq_queue *queue, const char *wanted)
{
    mq_message *message;
    char body[8] = "";
    const int got = mq_receive(queue, &receiving, &message);
    if (!EXPECT(got == 1))
        return;
    EXPECT(mq_message_read(message, body, sizeof body - 1) > 0);
    EXPECT_TEXT(body, wanted);
    EXPECT(mq_ack(queue, mq_message_receipt(message)) == 0);
    mq_message_free(message);
}

static void what_is_left_of_a_file_comes_before_the_next(void)
{
    send_all();
    expect_next(mine, "0"); /* the listing has all three files */
    expect_next(other, "1");
    expect_next(mine, "2");
    expect_next(other, "3");
    expect_next(mine, "4");
}

static void a_file_that_was_taken_whole_is_passed_over(void)
{
    mq_batch *batch = NULL;
    send_all();
    expect_next(mine, "0");
    EXPECT(mq_batch_new(&batch) == 0);
    EXPECT(mq_receive_batch(other, &receiving, UINT64_MAX, batch) == 1 && mq_batch_count(batch) == 3);
    expect_next(mine, "4");
    EXPECT(mq_batch_release(other, batch, 0) == 0);
    expect_next(mine, "1");
    expect_next(other, "2");
    expect_next(mine, "3");
    mq_batch_free(batch);
}

enum { GROUPS = 100, TAKEN = 20, SOON = 70 };

static void send_to_groups(mq_queue *queue)
{
    mq_message *message;
    for (int i = 0; i < GROUPS; i++) {
        char text[8];
        snprintf(text, sizeof text, "%d", i);
        EXPECT(mq_message_new(&message) == 0 && mq_message_set_header(message, "Group", text) == 0);
        mq_message_set_body(message, text, strlen(text));
        EXPECT(mq_send(queue, message, &sending, NULL) == 0);
        mq_message_free(message);
    }
}

static void take(mq_queue *queue, int count, int came[GROUPS])
{
    mq_message *message;
    char body[8] = "";
    for (int i = 0; i < count && EXPECT(mq_receive(queue, &receiving, &message) == 1); i++) {
        EXPECT(mq_message_read(message, body, sizeof body - 1) > 0);
        came[atoi(body)]++;
        memset(body, 0, sizeof body);
        EXPECT(mq_ack(queue, mq_message_receipt(message)) == 0);
        mq_message_free(message);
    }
}

/* A consumer that finds a group taken leaves some of those that follow to the other one, but not for long. */
static void groups_that_were_leapt_over_come_soon(void)
{
    int came[GROUPS] = {0};
    mq_queue *one, *another;
    EXPECT(mq_create_ordered(spool, "groups", "group", 0600, MQ_OWN_GROUP) == 1);
    EXPECT(mq_open(spool, "groups", 0, &one) == 0);
    EXPECT(mq_open(spool, "groups", 0, &another) == 0);
    send_to_groups(one);
    take(one, 1, came);
    take(another, TAKEN, came);
    take(one, SOON, came);
    for (int i = 0; i <= TAKEN + 1; i++)
        EXPECT(came[i] == 1);
    take(one, GROUPS - 1 - TAKEN - SOON, came);
    for (int i = 0; i < GROUPS; i++)
        EXPECT(came[i] == 1);
    mq_close(one);
    mq_close(another);
    EXPECT(mq_delete(spool, "groups", true) == 0);
}

int main(void)
{
    spool = unit_directory();
    EXPECT(mq_open(spool, "jobs", MQ_CREATE, &mine) == 0);
    EXPECT(mq_open(spool, "jobs", 0, &other) == 0);
    what_is_left_of_a_file_comes_before_the_next();
    a_file_that_was_taken_whole_is_passed_over();
    groups_that_were_leapt_over_come_soon();
    mq_close(mine);
    mq_close(other);
    EXPECT(mq_delete(spool, "jobs", true) == 0);
    rmdir(spool);
    free(spool);
    return unit_failures != 0;
}
