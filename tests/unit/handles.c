/* What handles own: they close and free that, once, and nothing else. */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "mq.h"
#include "unit.h"

static const struct mq_send_options sending = {MQ_SEND_DEFAULTS};
static const struct mq_receive_options at_once = {.wait = 0, .cancel_fd = -1};
static char *spool;

static mq_message *message_of(const char *group)
{
    mq_message *message;
    EXPECT(mq_message_new(&message) == 0);
    EXPECT(!group || mq_message_set_header(message, "Group", group) == 0);
    mq_message_set_body(message, "body", 4);
    return message;
}

/* The lowest descriptor is the one that a field which nobody has set would name. */
static void take_descriptor_0(void)
{
    const int file = open("/dev/null", O_RDONLY);
    EXPECT(file >= 0 && (file == 0 || dup2(file, 0) == 0));
    if (file > 0)
        close(file);
}

static void a_log_and_a_topic_close_what_is_theirs(void)
{
    mq_log *log;
    mq_topic *topic;
    mq_message *message = message_of(NULL);
    EXPECT(mq_log_create(spool, "clicks") == 1 && mq_log_open(spool, "clicks", &log) == 0);
    EXPECT(mq_log_send(log, NULL, message, &sending, NULL, NULL) == 0);
    mq_log_close(log);
    EXPECT(fcntl(0, F_GETFD) >= 0);
    EXPECT(mq_topic_create(spool, "events") == 1);
    EXPECT(mq_topic_bind(spool, "events", &(struct mq_binding){.destination = "jobs"}) >= 0);
    EXPECT(mq_topic_open(spool, "events", &topic) == 0);
    EXPECT(mq_topic_send(topic, NULL, message, &sending, NULL) == 0);
    mq_topic_close(topic);
    EXPECT(fcntl(0, F_GETFD) >= 0);
    mq_message_free(message);
}

static void send_and_settle(mq_queue *queue)
{
    mq_message *messages[2] = {message_of("a"), message_of("a")}, *received;
    for (int i = 0; i < 2; i++)
        EXPECT(mq_send(queue, messages[i], &sending, NULL) == 0);
    for (int i = 0; i < 2; i++)
        if (EXPECT(mq_receive(queue, &at_once, &received) == 1)) {
            EXPECT(mq_ack(queue, mq_message_receipt(received)) == 0);
            mq_message_free(received);
        }
    for (int i = 0; i < 2; i++)
        mq_message_free(messages[i]);
}

/* What a handle knows of a lane goes with the queue that it had open. */
static void an_ordered_queue_is_opened_anew(void)
{
    mq_queue *queue;
    EXPECT(mq_create_ordered(spool, "orders", "group", 0600, MQ_OWN_GROUP) >= 0 &&
           mq_open(spool, "orders", 0, &queue) == 0);
    for (int round = 0; round < 3; round++) {
        send_and_settle(queue);
        EXPECT(mq_delete(spool, "orders", false) == 0);
        EXPECT(mq_create_ordered(spool, "orders", "group", 0600, MQ_OWN_GROUP) >= 0);
    }
    send_and_settle(queue);
    EXPECT(mq_delete(spool, "orders", false) == 0);
    mq_message *message = message_of("a");
    EXPECT(mq_send(queue, message, &sending, NULL) == -ENOENT); /* and could not be opened */
    mq_message_free(message);
    mq_close(queue);
}

int main(void)
{
    char *remove;
    spool = unit_directory();
    take_descriptor_0();
    a_log_and_a_topic_close_what_is_theirs();
    an_ordered_queue_is_opened_anew();
    EXPECT(asprintf(&remove, "rm -rf '%s'", spool) > 0 && system(remove) == 0);
    free(remove);
    free(spool);
    return unit_failures > 0;
}
