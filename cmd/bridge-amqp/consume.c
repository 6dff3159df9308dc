/*
 * In: messages consumed from RabbitMQ.
 *
 * RabbitMQ delivers as long as no more than `prefetch` messages wait for their acks. What has come is left in the
 * socket until it is asked for. An ack has no answer, but that to the end of the channel comes behind all of them.
 *
 * No frame says that the queue is empty. With --until-empty we ask how many messages are ready. The answer may overtake a
 * message that is on its way to our channel, but the answer to a second question, put after the first answer, cannot.
 */
#include "consume.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

#include "base/clock.h"
#include "base/grow.h"
#include "bridge/incoming.h"
#include "cli/cli.h"
#include "link.h"
#include "unpack.h"

#define BYTES_MOST ((size_t)16 << 20) /* of bodies, before what has come is sent on */
#define ASK_AGAIN (CLOCK_SECOND / 20)
#define KEY_SIZE 256

/* A message that has come in part. */
struct arrival {
    bool is_coming, has_properties;
    uint64_t tag;
    char key[KEY_SIZE];
    mq_message *message;
    char *body;
    size_t size, room;
    uint64_t whole; /* the size of its body */
    int error;      /* why it cannot be held here */
};

struct consumer {
    struct bridge *bridge;
    struct link link;
    struct arrival arrival;
    uint64_t asked; /* 0: nothing is asked for */
    bool is_answered;
    size_t bytes;
    unsigned prefetch;
    uint64_t wanted;   /* with -n: how many more deliveries are of use */
    bool is_cancelled; /* no more come */
    unsigned kept;     /* refused here, and not settled there before the end of the channel */
    struct {
        unsigned asked; /* questions how many are ready: none, the first or the second */
        bool is_stale;  /* messages have come since */
        int64_t again_at;
    } ready;
};

static enum bridge_result out_of_memory(struct consumer *in)
{
    return bridge_trouble(in->bridge, BRIDGE_LOST, STATUS_TRY_LATER, "%s", cli_reason(-ENOMEM));
}

/* ---- opening --------------------------------------------------------------------- */

/* No more than what is to be carried, or what the rate allows in a second. */
static void choose_prefetch(struct consumer *in)
{
    const struct bridge_arguments *arguments = in->bridge->arguments;
    const uint64_t handled = in->bridge->carried + in->bridge->refused;
    uint64_t prefetch = in->link.target->prefetch;
    in->wanted = arguments->count > handled ? arguments->count - handled : UINT64_MAX;
    if (prefetch > in->wanted)
        prefetch = in->wanted;
    if (arguments->interval > 0 && prefetch > (uint64_t)(CLOCK_SECOND / arguments->interval) + 1)
        prefetch = (uint64_t)(CLOCK_SECOND / arguments->interval) + 1;
    in->prefetch = (unsigned)prefetch;
}

static enum bridge_result start(void *peer)
{
    struct consumer *in = peer;
    const struct target *target = in->link.target;
    enum bridge_result result = link_open(&in->link);
    if (result != BRIDGE_OK)
        return result;
    amqp_connection_state_t connection = in->link.connection;
    choose_prefetch(in);
    (void)amqp_basic_qos(connection, LINK_CHANNEL, 0, (uint16_t)in->prefetch, 0);
    result = link_check_reply(&in->link, amqp_get_rpc_reply(connection), "it cannot limit what it delivers");
    if (result != BRIDGE_OK)
        return result;
    (void)amqp_basic_consume(connection, LINK_CHANNEL, amqp_cstring_bytes(target->queue), amqp_cstring_bytes("mq"), 0,
                             0, 0, amqp_empty_table);
    result = link_check_reply(&in->link, amqp_get_rpc_reply(connection), "cannot consume");
    if (result == BRIDGE_OK)
        bridge_is_up(in->bridge);
    return result;
}

static enum bridge_result ask(void *peer, uint64_t most, bool waits)
{
    struct consumer *in = peer;
    (void)waits;
    in->asked = most;
    in->is_answered = false;
    in->bytes = 0;
    in->ready.again_at = 0;
    link_watch(&in->link, EPOLLIN);
    return BRIDGE_OK;
}

/* ---- settling -------------------------------------------------------------------- */

static enum bridge_result check_send(struct consumer *in, int status)
{
    return link_check(&in->link, status, "the connection is lost");
}

static uint64_t tag_of(const struct incoming_item *item)
{
    return strtoull(item->token, NULL, 10);
}

/* With -n no more is delivered than was carried: what this ack makes room for would come and go back. */
static enum bridge_result cancel_if_done(struct consumer *in)
{
    if (in->wanted > 0 || in->is_cancelled)
        return BRIDGE_OK;
    in->is_cancelled = true;
    amqp_basic_cancel_t cancel = {.consumer_tag = amqp_cstring_bytes("mq"), .nowait = 1};
    return check_send(in, amqp_send_method(in->link.connection, LINK_CHANNEL, AMQP_BASIC_CANCEL_METHOD, &cancel));
}

static enum bridge_result acknowledge(struct consumer *in, const struct incoming_item *items, size_t count)
{
    enum bridge_result result = cancel_if_done(in);
    /* One ack stands for all before it, unless some of those are not to be acked. */
    for (size_t i = in->kept ? 0 : count - 1; i < count && result == BRIDGE_OK; i++)
        result = check_send(in, amqp_basic_ack(in->link.connection, LINK_CHANNEL, tag_of(&items[i]), in->kept == 0));
    return result;
}

/* A message that the queue here refuses. RabbitMQ drops what is rejected if its queue has no dead-letter exchange, which it
   tells nobody: so that is for the user to say. */
static enum bridge_result reject(struct consumer *in, uint64_t tag)
{
    if (in->link.target->rejects)
        return check_send(in, amqp_basic_reject(in->link.connection, LINK_CHANNEL, tag, 0));
    if (++in->kept < in->prefetch || in->wanted == 0)
        return BRIDGE_OK;
    return bridge_trouble(
        in->bridge, BRIDGE_FAILED, STATUS_FAILED,
        "%u messages are refused here and stay there, and RabbitMQ delivers no others before they are "
        "settled: take them out, or have them rejected by ?refused=reject",
        in->kept);
}

/* What is released goes back when the channel ends, which it does then. */
static enum bridge_result settle(void *peer, enum incoming_end end, const struct incoming_item *items, size_t count,
                                 const char *words)
{
    struct consumer *in = peer;
    enum bridge_result result = BRIDGE_OK;
    (void)words;
    if (end == INCOMING_ACK)
        return acknowledge(in, items, count);
    for (size_t i = 0; i < count && end == INCOMING_REJECT && result == BRIDGE_OK; i++)
        result = reject(in, tag_of(&items[i]));
    return result;
}

/* ---- what comes ------------------------------------------------------------------ */

static void forget_arrival(struct consumer *in)
{
    mq_message_free(in->arrival.message);
    free(in->arrival.body);
    in->arrival = (struct arrival){0};
}

/* The key of a message that was sent to the queue itself is the name of the queue, and says nothing. */
static void begin_message(struct consumer *in, const amqp_basic_deliver_t *deliver)
{
    forget_arrival(in);
    in->arrival.is_coming = true;
    in->arrival.tag = deliver->delivery_tag;
    (void)snprintf(in->arrival.key, KEY_SIZE, "%.*s", LINK_TEXT(deliver->routing_key));
    if (deliver->exchange.len == 0 && strcmp(in->arrival.key, in->link.target->queue) == 0)
        in->arrival.key[0] = '\0';
    in->ready.is_stale = true;
}

static enum bridge_result take_properties(struct consumer *in, const amqp_frame_t *frame)
{
    struct arrival *arrival = &in->arrival;
    arrival->whole = frame->payload.properties.body_size;
    arrival->has_properties = true;
    if (mq_message_new(&arrival->message) < 0)
        return out_of_memory(in);
    arrival->error = unpack(frame->payload.properties.decoded, amqp_cstring_bytes(arrival->key), arrival->message);
    return arrival->error == -ENOMEM ? out_of_memory(in) : BRIDGE_OK;
}

static enum bridge_result take_body(struct consumer *in, amqp_bytes_t piece)
{
    struct arrival *arrival = &in->arrival;
    if (piece.len > arrival->whole - arrival->size)
        return bridge_trouble(in->bridge, BRIDGE_FAILED, STATUS_DATA, "a body came that is longer than was said");
    /* All of its room at once, unless what was said may be far from what comes. */
    const uint64_t needed = arrival->whole <= BYTES_MOST ? arrival->whole : arrival->size + piece.len;
    if (!GROW(arrival->body, (size_t)needed, arrival->room))
        return out_of_memory(in);
    memcpy(arrival->body + arrival->size, piece.bytes, piece.len);
    arrival->size += piece.len;
    return BRIDGE_OK;
}

static enum bridge_result refuse_arrival(struct consumer *in)
{
    const uint64_t tag = in->arrival.tag;
    (void)bridge_trouble(in->bridge, BRIDGE_OK, STATUS_DATA, "its headers cannot be held here: %s",
                         cli_reason(in->arrival.error));
    bridge_refused(in->bridge, mq_message_id(in->arrival.message));
    forget_arrival(in);
    return reject(in, tag);
}

static enum bridge_result end_message(struct consumer *in, struct incoming_items *items)
{
    struct arrival *arrival = &in->arrival;
    char token[24];
    in->wanted -= in->wanted > 0 && in->wanted < UINT64_MAX;
    if (arrival->error)
        return refuse_arrival(in);
    (void)snprintf(token, sizeof token, "%" PRIu64, arrival->tag);
    struct incoming_item *item = incoming_add(items);
    if (!item || !(item->token = strdup(token)))
        return out_of_memory(in);
    mq_message_set_body(arrival->message, arrival->body, arrival->size);
    in->bytes += arrival->size;
    item->message = arrival->message;
    item->record.decoded = arrival->body;
    in->arrival = (struct arrival){0};
    return BRIDGE_OK;
}

/* ---- whether there is more ------------------------------------------------------- */

static enum bridge_result ask_ready(struct consumer *in)
{
    amqp_queue_declare_t declare = {.queue = amqp_cstring_bytes(in->link.target->queue), .passive = 1};
    in->ready.asked++;
    in->ready.is_stale = false;
    return check_send(in, amqp_send_method(in->link.connection, LINK_CHANNEL, AMQP_QUEUE_DECLARE_METHOD, &declare));
}

static enum bridge_result take_ready(struct consumer *in, const amqp_queue_declare_ok_t *declared)
{
    const bool is_none = declared->message_count == 0 && !in->ready.is_stale && in->asked > 0;
    if (is_none && in->ready.asked == 1)
        return ask_ready(in);
    in->is_answered = is_none;
    in->ready.asked = 0;
    in->ready.again_at = clock_monotonic() + ASK_AGAIN; /* another consumer may take what there is */
    link_wake(&in->link, ASK_AGAIN);
    return BRIDGE_OK;
}

/* ---- the inlet ------------------------------------------------------------------- */

static enum bridge_result take_method(struct consumer *in, const amqp_method_t *method)
{
    switch (method->id) {
    case AMQP_BASIC_DELIVER_METHOD:
        begin_message(in, method->decoded);
        return BRIDGE_OK;
    case AMQP_QUEUE_DECLARE_OK_METHOD:
        return take_ready(in, method->decoded);
    case AMQP_BASIC_CANCEL_METHOD:
        return bridge_trouble(in->bridge, BRIDGE_LOST, STATUS_TRY_LATER, "the queue is gone, or fails over");
    default:
        return BRIDGE_OK;
    }
}

static enum bridge_result take_frame(struct consumer *in, const amqp_frame_t *frame, struct incoming_items *items)
{
    enum bridge_result result = BRIDGE_OK;
    if (frame->frame_type == AMQP_FRAME_METHOD)
        return take_method(in, &frame->payload.method);
    if (!in->arrival.is_coming)
        return BRIDGE_OK;
    if (frame->frame_type == AMQP_FRAME_HEADER)
        result = take_properties(in, frame);
    else if (frame->frame_type == AMQP_FRAME_BODY && in->arrival.has_properties)
        result = take_body(in, frame->payload.body_fragment);
    const bool is_whole = in->arrival.has_properties && in->arrival.size == in->arrival.whole;
    return result == BRIDGE_OK && is_whole ? end_message(in, items) : result;
}

/* Read until there is nothing more, or enough has come. */
static enum bridge_result read_some(struct consumer *in, struct incoming_items *items)
{
    enum bridge_result result = BRIDGE_OK;
    amqp_frame_t frame;
    bool is_there = true;
    while (result == BRIDGE_OK && is_there && !in->is_answered && items->count < in->asked && in->bytes < BYTES_MOST) {
        result = link_read(&in->link, &frame, &is_there);
        if (result == BRIDGE_OK && is_there)
            result = take_frame(in, &frame, items);
    }
    return result;
}

static enum bridge_result work(void *peer, struct incoming_items *items, bool *ret_answered, bool *ret_settled)
{
    struct consumer *in = peer;
    enum bridge_result result = link_beat(&in->link);
    if (result == BRIDGE_OK && in->asked > 0)
        result = read_some(in, items);
    if (result != BRIDGE_OK)
        return result;
    if (items->count > 0)
        in->is_answered = true;
    else if (in->asked > 0 && !in->is_answered && in->bridge->arguments->until_empty && in->ready.asked == 0 &&
             clock_monotonic() >= in->ready.again_at)
        result = ask_ready(in);
    if (in->is_answered) {
        in->asked = 0;
        link_watch(&in->link, 0);
    }
    /* What has come in part, or comes after this, goes back when the channel ends. */
    *ret_answered = in->is_answered || bridge_is_ending(in->bridge);
    *ret_settled = true;
    return result;
}

static enum bridge_result finish(void *peer, bool all_settled)
{
    struct consumer *in = peer;
    (void)all_settled;
    forget_arrival(in);
    in->asked = 0;
    in->is_answered = in->is_cancelled = false;
    in->kept = 0;
    memset(&in->ready, 0, sizeof in->ready);
    return link_close(&in->link);
}

static const struct inlet inlet = {.open = start, .ask = ask, .work = work, .settle = settle, .close = finish};

int consume_run(struct bridge *bridge, const char *queue, const struct target *target)
{
    struct consumer in = {.bridge = bridge, .link = {.bridge = bridge, .target = target}};
    return incoming_run(bridge, queue, &inlet, &in);
}
