/* Acking some of several messages: never those that nobody has seen, and what is acked does not come back. */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "mq.h"
#include "unit.h"

#define SENT 10

static char spool[] = "/tmp/mq-unit-XXXXXX";
static mq_queue *queue;
static mq_batch *batch;
static const struct mq_send_options sending = {.no_sync = true, .cancel_fd = -1};
static const struct mq_receive_options receiving = {.cancel_fd = -1};

static void receive(size_t handed_out)
{
    struct iovec bodies[SENT];
    mq_message *message = NULL;
    size_t sent;
    for (int i = 0; i < SENT; i++)
        bodies[i] = (struct iovec){(void *)(uintptr_t) "x", 1};
    EXPECT(mq_message_new(&message) == 0);
    EXPECT(mq_send_bodies(queue, message, bodies, SENT, &sending, NULL, &sent) == 0 && sent == SENT);
    mq_message_free(message);
    EXPECT(mq_receive_batch(queue, &receiving, UINT64_MAX, batch) == 1 && mq_batch_count(batch) == SENT);
    for (size_t i = 0; i < handed_out; i++)
        EXPECT(mq_batch_next(batch, &message) == 1);
}

/* Also as the directories have it. */
static void expect(uint64_t acked, uint64_t ready, uint64_t inflight)
{
    struct mq_stats stats, exact;
    EXPECT(mq_stat(queue, false, &stats) == 0 && mq_stat(queue, true, &exact) == 0);
    EXPECT(stats.acked == acked);
    EXPECT(stats.count[MQ_READY] == ready && stats.count[MQ_INFLIGHT] == inflight);
    EXPECT(exact.count[MQ_READY] == ready && exact.count[MQ_INFLIGHT] == inflight);
    EXPECT(stats.bytes == exact.bytes);
}

static void fewer_than_before_are_refused(void)
{
    receive(6);
    EXPECT(mq_batch_ack(queue, batch, 5) == 0);
    expect(5, 0, 5);
    EXPECT(mq_batch_ack(queue, batch, 3) == -EINVAL);
    EXPECT(mq_batch_ack(queue, batch, 0) == -EINVAL);
    EXPECT(mq_batch_release(queue, batch, 4) == -EINVAL);
    EXPECT(mq_batch_release(queue, batch, 0) == -EINVAL);
    EXPECT(mq_batch_ack(queue, batch, 5) == 0); /* as many as before is nothing new */
    expect(5, 0, 5);
}

static void more_than_were_handed_out_are_refused(void)
{
    EXPECT(mq_batch_ack(queue, batch, 7) == -EINVAL);
    EXPECT(mq_batch_ack(queue, batch, SENT) == -EINVAL);
    EXPECT(mq_batch_ack(queue, batch, 1000) == -EINVAL);
    EXPECT(mq_batch_release(queue, batch, 7) == -EINVAL);
    EXPECT(mq_batch_release(queue, batch, SIZE_MAX) == -EINVAL);
    expect(5, 0, 5);
    EXPECT(mq_batch_release(queue, batch, 6) == 0);
    expect(6, 4, 0);
    EXPECT(mq_batch_ack(queue, batch, 6) == -ESTALE);
}

static void all_can_be_acked_when_all_were_seen(void)
{
    mq_message *message;
    EXPECT(mq_receive_batch(queue, &receiving, UINT64_MAX, batch) == 1);
    const size_t count = mq_batch_count(batch);
    EXPECT(mq_batch_ack(queue, batch, count) == -EINVAL);
    while (mq_batch_next(batch, &message) == 1)
        ;
    EXPECT(mq_batch_ack(queue, batch, count) == 0);
    EXPECT(mq_batch_ack(queue, batch, count) == -ESTALE);
    expect(6 + count, 4 - count, 0);
}

static void a_batch_without_messages_settles_none(void)
{
    receive(2);
    mq_message *claimed = NULL;
    EXPECT(mq_batch_ack(queue, batch, 2) == 0);
    while (mq_receive(queue, &receiving, &claimed) == 1) {
        EXPECT(mq_ack(queue, mq_message_receipt(claimed)) == 0);
        mq_message_free(claimed);
    }
    EXPECT(mq_receive_batch(queue, &receiving, UINT64_MAX, batch) == 0);
    EXPECT(mq_batch_ack(queue, batch, 0) == -EINVAL && mq_batch_ack(queue, batch, 1) == -EINVAL);
    EXPECT(mq_batch_release(queue, batch, 0) == -EINVAL && mq_batch_keep(queue, batch) == -EINVAL);
    struct mq_stats stats;
    EXPECT(mq_stat(queue, true, &stats) == 0 && stats.count[MQ_INFLIGHT] == SENT - 2);
}

int main(void)
{
    if (!mkdtemp(spool) || mq_open(spool, "q", MQ_CREATE, &queue) || mq_batch_new(&batch))
        return 1;
    fewer_than_before_are_refused();
    more_than_were_handed_out_are_refused();
    all_can_be_acked_when_all_were_seen();
    a_batch_without_messages_settles_none();
    mq_batch_free(batch);
    mq_close(queue);
    EXPECT(mq_delete(spool, "q", true) == 0);
    rmdir(spool);
    return unit_failures != 0;
}
