/* What scenes are made of. */
#include "stage.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void stage_must(int result, const char *what)
{
    if (result >= 0)
        return;
    fprintf(stderr, "staging: %s: %s\n", what, strerror(-result));
    exit(1);
}

/* NULL: there is no memory. */
static mq_message *write_letter(const char *body, struct letter letter)
{
    mq_message *message;
    if (mq_message_new(&message) != 0)
        return NULL;
    mq_message_set_body(message, body, strlen(body));
    stage_must(mq_message_set_priority(message, letter.priority), "mq_message_set_priority");
    stage_must(mq_message_set_delay(message, letter.delay), "mq_message_set_delay");
    if (letter.ttl)
        stage_must(mq_message_set_ttl(message, letter.ttl), "mq_message_set_ttl");
    if (letter.group && mq_message_set_header(message, "Group", letter.group) != 0) {
        mq_message_free(message);
        return NULL;
    }
    return message;
}

int stage_try_send(mq_queue *queue, const char *body, struct letter letter)
{
    mq_message *message = write_letter(body, letter);
    if (!message)
        return -ENOMEM;
    const int error = mq_send(queue, message, &(struct mq_send_options){MQ_SEND_DEFAULTS}, NULL);
    mq_message_free(message);
    return error;
}

void stage_send(mq_queue *queue, const char *body, struct letter letter)
{
    stage_must(stage_try_send(queue, body, letter), "mq_send");
}

static bool shared, sent_three;

bool stage_sent_three(void)
{
    return sent_three;
}

void stage_share_headers(bool now)
{
    shared = now;
    sent_three = false;
}

static int send_three_bodies(mq_queue *queue, struct letter letter, size_t *ret_sent)
{
    const struct iovec bodies[] = {
        {(void *)(uintptr_t) "one", 3}, {(void *)(uintptr_t) "two", 3}, {(void *)(uintptr_t) "three", 5}};
    mq_message *model = write_letter("", letter);
    const int error = mq_send_bodies(queue, model, bodies, 3, &(struct mq_send_options){MQ_SEND_DEFAULTS}, NULL,
                                     ret_sent);
    mq_message_free(model);
    return error;
}

static int send_three_messages(mq_queue *queue, struct letter letter, size_t *ret_sent)
{
    mq_message *const messages[] = {write_letter("one", letter), write_letter("two", letter),
                                    write_letter("three", letter)};
    const int error = mq_send_batch(queue, messages, 3, &(struct mq_send_options){MQ_SEND_DEFAULTS}, NULL, ret_sent);
    for (int i = 0; i < 3; i++)
        mq_message_free(messages[i]);
    return error;
}

void stage_send_three(mq_queue *queue, struct letter letter)
{
    size_t sent;
    sent_three = true;
    stage_must(shared ? send_three_bodies(queue, letter, &sent) : send_three_messages(queue, letter, &sent),
               "sending three");
}

void stage_claim(struct scene *scene, int64_t ack_timeout)
{
    const struct mq_receive_options options = {.wait = 0, .cancel_fd = -1, .ack_timeout = ack_timeout};
    mq_message *message;
    stage_must(mq_receive(scene->queue, &options, &message) == 1 ? 0 : -1, "mq_receive");
    snprintf(scene->receipt, sizeof scene->receipt, "%s", mq_message_receipt(message));
    mq_message_free(message);
}

void stage_set(struct scene *scene, const char *key, const char *value)
{
    stage_must(mq_config_set(scene->spool, "jobs", key, value), "mq_config_set");
    mq_close(scene->queue); /* which would read it in a second */
    stage_must(mq_open(scene->spool, "jobs", MQ_CREATE, &scene->queue), "mq_open");
}
