/* Many bodies sent as one message: each has all that the message says, an id of its own, and the message stays. */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "mq.h"
#include "unit.h"

#define MANY 300 /* more than a file takes */

static char *spool;
static mq_queue *queue;
static char texts[MANY][16];
static struct iovec bodies[MANY];
static char ids[MANY][MQ_ID_SIZE];
static const struct mq_send_options sending = {.no_sync = true, .cancel_fd = -1};

static mq_message *make_model(void)
{
    mq_message *model = NULL;
    EXPECT(mq_message_new(&model) == 0);
    EXPECT(mq_message_set_header(model, "Type", "many") == 0);
    EXPECT(mq_message_set_priority(model, 7) == 0);
    mq_message_set_body(model, "alone", 5);
    return model;
}

static void expect_next(const char *id, const char *body)
{
    mq_message *message;
    char text[16] = "";
    if (!EXPECT(mq_receive(queue, &(struct mq_receive_options){.cancel_fd = -1}, &message) == 1))
        return;
    const ssize_t size = mq_message_read(message, text, sizeof text - 1);
    EXPECT(size == (ssize_t)strlen(body));
    EXPECT_TEXT(text, body);
    if (id)
        EXPECT_TEXT(mq_message_id(message), id);
    EXPECT(mq_message_priority(message) == 7);
    const char *type = mq_message_header(message, "Type");
    EXPECT_TEXT(type ? type : "none", "many");
    EXPECT(mq_ack(queue, mq_message_receipt(message)) == 0);
    mq_message_free(message);
}

static void all_come_in_order(void)
{
    mq_message *model = make_model();
    size_t sent = 0;
    EXPECT(mq_send_bodies(queue, model, bodies, MANY, &sending, ids, &sent) == 0 && sent == MANY);
    for (int i = 0; i < MANY; i++)
        expect_next(ids[i], texts[i]);
    EXPECT(mq_send(queue, model, &sending, NULL) == 0);
    expect_next(NULL, "alone");
    mq_message_free(model);
}

/* The bodies of a text, each ended by a byte like those in `separators`, `lead` bytes of each left out. */
static int divide(char *text, const char *separators, size_t lead, struct iovec *ret_bodies)
{
    int count = 0;
    for (char *at = text, *end; *at; at = end + 1) {
        end = at + strcspn(at, separators);
        ret_bodies[count++] = (struct iovec){at + lead, (size_t)(end - at) - lead};
    }
    return count;
}

/* However they lie in memory, the file has them, and nothing that was between them. */
static void bodies_may_lie_in_one_text(void)
{
    static const struct {
        const char *text, *separators;
        size_t lead;
        const char *wanted[4];
    } texts_of[] = {{"one\n\nthree\nfour\n", "\n", 0, {"one", "", "three", "four"}},
                    {"one;two;three;four;", ";", 0, {"one", "two", "three", "four"}},
                    {"one\ntwo;three\nfour\n", ";\n", 0, {"one", "two", "three", "four"}},
                    {"-one\n-two\n-three\n-four\n", "\n", 1, {"one", "two", "three", "four"}},
                    {"a\nb;c\nd;e;f;g\nh;", ";", 0, {"a\nb", "c\nd", "e", "f"}}};
    mq_message *model = make_model();
    for (size_t i = 0; i < sizeof texts_of / sizeof *texts_of; i++) {
        char text[64];
        struct iovec divided[sizeof text];
        size_t sent = 0;
        snprintf(text, sizeof text, "%s", texts_of[i].text);
        EXPECT(divide(text, texts_of[i].separators, texts_of[i].lead, divided) >= 4);
        EXPECT(mq_send_bodies(queue, model, divided, 4, &sending, ids, &sent) == 0 && sent == 4);
        memset(text, '!', sizeof text);
        for (int body = 0; body < 4; body++)
            expect_next(ids[body], texts_of[i].wanted[body]);
    }
    mq_message_free(model);
}

static void one_or_none_is_fine(void)
{
    mq_message *model = make_model();
    size_t sent = 9;
    EXPECT(mq_send_bodies(queue, model, bodies, 0, &sending, ids, &sent) == 0 && sent == 0);
    EXPECT(mq_send_bodies(queue, model, bodies, 1, &sending, ids, &sent) == 0 && sent == 1);
    expect_next(ids[0], texts[0]);
    mq_message_free(model);
}

static void what_is_too_large_ends_it(void)
{
    mq_message *model = make_model();
    struct iovec three[3] = {bodies[0], {calloc(1, 1 << 20), 1 << 20}, bodies[1]};
    size_t sent = 0;
    EXPECT(mq_send_bodies(queue, model, three, 3, &sending, ids, &sent) == -EMSGSIZE && sent == 1);
    expect_next(ids[0], texts[0]);
    free(three[1].iov_base);
    mq_message_free(model);
}

static void an_id_is_for_one(void)
{
    mq_message *model = make_model();
    size_t sent = 9;
    EXPECT(mq_message_set_id(model, "one") == 0);
    EXPECT(mq_send_bodies(queue, model, bodies, 2, &sending, ids, &sent) == -EINVAL && sent == 0);
    mq_message_free(model);
}

int main(void)
{
    for (int i = 0; i < MANY; i++)
        bodies[i] = (struct iovec){texts[i], (size_t)snprintf(texts[i], sizeof texts[i], "body %d", i)};
    spool = unit_directory();
    EXPECT(mq_open(spool, "jobs", MQ_CREATE, &queue) == 0);
    all_come_in_order();
    bodies_may_lie_in_one_text();
    one_or_none_is_fine();
    what_is_too_large_ends_it();
    an_id_is_for_one();
    mq_close(queue);
    EXPECT(mq_delete(spool, "jobs", true) == 0);
    rmdir(spool);
    free(spool);
    return unit_failures != 0;
}
