/* Messages as JSON: what an object says becomes the message, what is refused has a reason, and all comes back. */
#include <stdlib.h>
#include <unistd.h>

#include "message/json_read.h"
#include "message/json_write.h"
#include "unit.h"

static mq_message *new_message(void)
{
    mq_message *message;
    if (!EXPECT(mq_message_new(&message) == 0))
        exit(1);
    return message;
}

static bool takes(const char *text, size_t size, mq_message *message)
{
    struct json_record record;
    const bool taken = json_to_message(text, size, message, &record);
    if (!taken)
        EXPECT(record.problem[0] != '\0' && !strchr(record.problem, '\n'));
    json_record_release(&record);
    return taken;
}

static void members(void)
{
    mq_message *message = new_message();
    static const char text[] = "{\"body\":\"tea\",\"priority\":7,\"headers\":{\"Tenant\":\"acme\",\"Empty\":\"\"}}";
    EXPECT(takes(text, strlen(text), message));
    EXPECT(mq_message_size(message) == 3 && mq_message_priority(message) == 7);
    EXPECT_TEXT(mq_message_header(message, "Tenant"), "acme");
    EXPECT_TEXT(mq_message_header(message, "Empty"), "");
    EXPECT(!mq_message_header(message, "Other"));
    mq_message_free(message);
}

/* What the object does not say stays as it was. */
static void defaults(void)
{
    mq_message *message = new_message();
    EXPECT(mq_message_set_priority(message, 2) == 0 && mq_message_set_header(message, "Type", "t") == 0);
    EXPECT(takes("{\"body\":\"x\"}", 12, message));
    EXPECT(mq_message_priority(message) == 2);
    EXPECT_TEXT(mq_message_header(message, "Type"), "t");
    mq_message_free(message);
}

static void refusals(void)
{
    static const char *const texts[] = {
        "",
        "{",
        "tea",
        "[]",
        "\"tea\"",
        "{\"body\":\"x\"} {}",
        "{\"body\":\"x\",\"body\":\"y\"}",
        "{\"unknown\":1}",
        "{\"priority\":10}",
        "{\"priority\":-1}",
        "{\"priority\":1.5}",
        "{\"priority\":\"1\"}",
        "{\"priority\":99999999999999999999}",
        "{\"body_base64\":\"Zg=\"}",
        "{\"body_base64\":5}",
        "{\"delay\":\"soon\"}",
        "{\"delay\":-1}",
        "{\"delay\":1e300}",
        "{\"ttl\":0}",
        "{\"ttl\":\"0\"}",
        "{\"expires\":\"tomorrow\"}",
        "{\"expires\":5}",
        "{\"headers\":[]}",
        "{\"headers\":{\"A\":1}}",
        "{\"headers\":{\"A\":\"x\\ny\"}}",
        "{\"headers\":{\"\":\"x\"}}",
        "{\"headers\":{\"A b\":\"x\"}}",
        "{\"ttl\":\"5m\",\"expires\":\"2026-11-24T10:30:00Z\"}",
        "{\"body\":\"\xFF\"}",
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        mq_message *message = new_message();
        if (!EXPECT(!takes(texts[i], strlen(texts[i]), message)))
            fprintf(stderr, "taken: %s\n", texts[i]);
        mq_message_free(message);
    }
}

/* Send it, and receive it again. */
static mq_message *through(mq_queue *queue, mq_message *message)
{
    mq_message *received;
    EXPECT(mq_send(queue, message, &(struct mq_send_options){.no_sync = true, .cancel_fd = -1}, NULL) == 0);
    if (!EXPECT(mq_receive(queue, &(struct mq_receive_options){.cancel_fd = -1}, &received) == 1))
        exit(1);
    EXPECT(mq_ack(queue, mq_message_receipt(received)) == 0);
    return received;
}

/* What was received goes out as an object that can be sent again, whatever bytes its body has. */
static void expect_round_trip(mq_queue *queue, const void *body, size_t size, const char *member)
{
    mq_message *message = new_message(), *copy = new_message();
    struct json_record record;
    struct json_text text = {0};
    char back[16];
    mq_message_set_body(message, body, size);
    EXPECT(mq_message_set_header(message, "Tenant", "\xC3\xA9") == 0 && mq_message_set_priority(message, 7) == 0);
    mq_message *const first = through(queue, message);
    if (!EXPECT(json_from_message(first, &(struct json_shown){.queue = "jobs"}, &text) == 0) ||
        !EXPECT(json_text_end(&text) == 0))
        exit(1);
    json_t *const object = json_loadb(text.data, text.size, JSON_ALLOW_NUL, NULL);
    EXPECT(json_object_get(object, member) && !json_object_get(object, "receipt"));
    EXPECT_TEXT(json_string_value(json_object_get(object, "queue")), "jobs");
    EXPECT(json_to_message(text.data, text.size, copy, &record));
    mq_message *const second = through(queue, copy);
    EXPECT(mq_message_size(second) == size && mq_message_read(second, back, sizeof back) == (ssize_t)size);
    EXPECT(memcmp(back, body, size) == 0 && mq_message_priority(second) == 7);
    EXPECT_TEXT(mq_message_id(second), mq_message_id(first));
    EXPECT_TEXT(mq_message_header(second, "Tenant"), "\xC3\xA9");
    json_record_release(&record);
    json_text_release(&text);
    json_decref(object);
    mq_message_free(message);
    mq_message_free(first);
    mq_message_free(copy);
    mq_message_free(second);
}

static void round_trips(void)
{
    char *const spool = unit_directory();
    mq_queue *queue;
    if (!EXPECT(mq_open(spool, "jobs", MQ_CREATE, &queue) == 0))
        exit(1);
    expect_round_trip(queue, "tea", 3, "body");
    expect_round_trip(queue, "", 0, "body");
    expect_round_trip(queue, "a\0b\n\"\\", 6, "body");
    expect_round_trip(queue, "\xC3\xA9", 2, "body");
    expect_round_trip(queue, "\xFF\0", 2, "body_base64");
    expect_round_trip(queue, "\xFF", 1, "body_base64");
    mq_close(queue);
    EXPECT(mq_delete(spool, "jobs", true) == 0 && rmdir(spool) == 0);
    free(spool);
}

int main(void)
{
    members();
    defaults();
    refusals();
    round_trips();
    return unit_failures > 0;
}
