/* Out to a topic of Kafka. */
#include "bridge-kafka/kafka_out.h"

#include <stdlib.h>
#include <string.h>

#include "bridge-kafka/record.h"
#include "bridge/outgoing.h"
#include "cli/cli.h"
#include "message/body_error.h"
#include "message/content.h"

/* Partitions confirm each in their own order, and the frame wants one order: that in which messages were put. */
struct slot {
    bool is_reported;
    rd_kafka_resp_err_t error;
};

struct kafka_out {
    struct kafka *kafka;
    struct slot window[OUTGOING_MESSAGES];
    uint64_t first, end; /* messages that are put, and not confirmed */
};

static struct slot *slot_at(struct kafka_out *out, uint64_t number)
{
    return &out->window[number % OUTGOING_MESSAGES];
}

/* Called for each message that is confirmed, or never will be. */
static void note_report(rd_kafka_t *handle, const rd_kafka_message_t *report, void *opaque)
{
    struct slot *slot = report->_private;
    (void)handle;
    slot->is_reported = true;
    slot->error = report->err;
    if (!report->err)
        kafka_heard(opaque);
}

static enum bridge_result start(void *peer)
{
    struct kafka_out *out = peer;
    static const char *const more[][2] = {
        {"enable.idempotence", "true"},
        {"acks", "all"},
        {"partitioner", "murmur2_random"},   /* that of Kafka's own clients */
        {"message.max.bytes", "1000000000"}, /* the limit is that of the topic */
        {"message.timeout.ms", "0"},         /* kafka_look ends a connection that was away for too long */
        {"linger.ms", "2"},
        {NULL, NULL},
    };
    out->first = out->end = 0;
    rd_kafka_conf_t *settings = kafka_settings(out->kafka, more);
    if (!settings)
        return BRIDGE_FAILED;
    rd_kafka_conf_set_dr_msg_cb(settings, note_report);
    const enum bridge_result result = kafka_open(out->kafka, RD_KAFKA_PRODUCER, settings);
    if (result != BRIDGE_OK)
        return result;
    rd_kafka_queue_t *queue = rd_kafka_queue_get_main(out->kafka->handle);
    kafka_watch(out->kafka, queue);
    rd_kafka_queue_destroy(queue);
    return BRIDGE_OK;
}

/* ---- putting --------------------------------------------------------------------- */

static enum bridge_result produce(struct kafka_out *out, mq_message *message, char *body, size_t size)
{
    const char *key = record_key(message);
    struct slot *slot = slot_at(out, out->end);
    rd_kafka_headers_t *headers = record_headers(message);
    rd_kafka_resp_err_t error = RD_KAFKA_RESP_ERR__QUEUE_FULL;
    *slot = (struct slot){0};
    /* The macros of librdkafka are statements in expressions. */
    if (headers && out->end - out->first < OUTGOING_MESSAGES)
        error = __extension__(rd_kafka_producev(out->kafka->handle, RD_KAFKA_V_RKT(out->kafka->topic_handle),
                                                RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_FREE), RD_KAFKA_V_VALUE(body, size),
                                                RD_KAFKA_V_KEY(key, key ? strlen(key) : 0), RD_KAFKA_V_HEADERS(headers),
                                                RD_KAFKA_V_OPAQUE(slot), RD_KAFKA_V_END));
    if (!error) {
        out->end++;
        return BRIDGE_OK;
    }
    free(body);
    if (headers)
        rd_kafka_headers_destroy(headers);
    return kafka_trouble(out->kafka, error);
}

static enum bridge_result put(void *peer, mq_message *message)
{
    struct kafka_out *out = peer;
    char *body;
    const int error = content_copy(message, &body);
    if (!error)
        return produce(out, message, body, (size_t)mq_message_size(message));
    if (body_error_is_of_message(error, message))
        return bridge_trouble(out->kafka->bridge, BRIDGE_REFUSED, STATUS_DATA, "%s", body_error_reason(error));
    return bridge_trouble(out->kafka->bridge, BRIDGE_LOST, STATUS_TRY_LATER, "cannot read a message here: %s",
                          cli_reason(error));
}

/* ---- what is confirmed ----------------------------------------------------------- */

static enum bridge_result work(void *peer, uint64_t *ret_confirmed)
{
    struct kafka_out *out = peer;
    kafka_wake(out->kafka);
    while (rd_kafka_poll(out->kafka->handle, 0) > 0)
        continue;
    for (; out->first < out->end && slot_at(out, out->first)->is_reported; out->first++, ++*ret_confirmed)
        if (slot_at(out, out->first)->error)
            return kafka_trouble(out->kafka, slot_at(out, out->first)->error);
    return kafka_look(out->kafka);
}

static size_t held(const void *peer)
{
    (void)peer;
    return 0;
}

static enum bridge_result finish(void *peer, bool all_confirmed)
{
    struct kafka_out *out = peer;
    (void)all_confirmed;
    kafka_close(out->kafka, 0);
    return BRIDGE_OK;
}

static const struct outlet outlet = {.open = start, .put = put, .work = work, .held = held, .close = finish};

int kafka_out(struct kafka *kafka, const char *queue)
{
    struct kafka_out *out = cli_must(calloc(1, sizeof *out));
    out->kafka = kafka;
    const int status = outgoing_run(kafka->bridge, queue, &outlet, out);
    free(out);
    return status;
}
