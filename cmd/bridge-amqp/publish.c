/*
 * Out: messages published to RabbitMQ.
 *
 * RabbitMQ numbers what is published on a channel, and confirms by number, in any order. A message that no queue takes comes
 * back before it is confirmed. Both are answers, which are passed on in the order in which the messages were put.
 */
#include "publish.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "base/grow.h"
#include "bridge/outgoing.h"
#include "cli/cli.h"
#include "link.h"
#include "parcel.h"

#define BURST ((size_t)16 << 10) /* bytes that are written before it is asked again whether there is room */
#define FRAME_OVERHEAD 8
#define RETURN_WORDS_SIZE 320

struct entry {
    struct parcel *parcel; /* NULL: it was refused here, and is not sent */
    uint64_t tag;          /* its number there; 0: it is not sent yet */
    char *words;           /* why it is refused; NULL: it is not */
    bool is_confirmed, is_nacked;
};

struct publisher {
    struct bridge *bridge;
    struct link link;
    struct entry *entries; /* `first` is the first without an answer, or whose answer is not passed on yet */
    size_t first, unsent, end, room;
    uint64_t next_tag;
    size_t held;
    bool is_full; /* a message was not taken for now: no more are sent, and the others still get their answers */
    struct {
        bool is_coming, has_properties;
        uint64_t left; /* bytes of its body */
        char words[RETURN_WORDS_SIZE];
        char key[256];
    } returned;
    enum bridge_result ended; /* not BRIDGE_OK: nothing more comes of this connection, for this reason: */
    int ended_status;
    char ended_words[BRIDGE_WORDS_SIZE];
};

static enum bridge_result open_channel(void *peer)
{
    struct publisher *out = peer;
    enum bridge_result result = link_open(&out->link);
    if (result != BRIDGE_OK)
        return result;
    (void)amqp_confirm_select(out->link.connection, LINK_CHANNEL);
    result = link_check_reply(&out->link, amqp_get_rpc_reply(out->link.connection), "it does not confirm messages");
    if (result == BRIDGE_OK) {
        link_watch(&out->link, EPOLLIN);
        bridge_is_up(out->bridge);
    }
    return result;
}

/* ---- putting --------------------------------------------------------------------- */

static bool make_room(struct publisher *out)
{
    if (out->end == out->room && out->first > out->room / 2) {
        memmove(out->entries, out->entries + out->first, (out->end - out->first) * sizeof *out->entries);
        out->unsent -= out->first;
        out->end -= out->first;
        out->first = 0;
    }
    return GROW(out->entries, out->end + 1, out->room);
}

static enum bridge_result put(void *peer, mq_message *message)
{
    struct publisher *out = peer;
    struct entry entry = {0};
    const size_t frame_most = (size_t)amqp_get_frame_max(out->link.connection) - FRAME_OVERHEAD;
    if (!make_room(out))
        return bridge_trouble(out->bridge, BRIDGE_LOST, STATUS_TRY_LATER, "%s", cli_reason(-ENOMEM));
    const enum bridge_result result = parcel_pack(out->bridge, out->link.target, message, frame_most, &entry.parcel);
    if (result == BRIDGE_SKIPPED)
        entry.words = strdup(out->bridge->trouble.words);
    if (result != BRIDGE_OK && !entry.words)
        return result == BRIDGE_SKIPPED ? BRIDGE_LOST : result;
    out->held += entry.parcel ? parcel_left(entry.parcel) : 0;
    out->entries[out->end++] = entry;
    return BRIDGE_OK;
}

static size_t held(const void *peer)
{
    return ((const struct publisher *)peer)->held;
}

/* ---- writing --------------------------------------------------------------------- */

/* Collect small frames in full packets. */
static void cork(struct publisher *out, int on)
{
    (void)setsockopt(amqp_get_sockfd(out->link.connection), IPPROTO_TCP, TCP_CORK, &on, sizeof on);
}

/* Write the frames of an entry as far as there is room. `ret_room` is what is left of it in bytes. */
static int write_entry(struct publisher *out, struct entry *entry, size_t *ret_room, bool *ret_done)
{
    int status = AMQP_STATUS_OK;
    while (!*ret_done && status == AMQP_STATUS_OK) {
        const size_t left = parcel_left(entry->parcel);
        if (*ret_room == 0 && !link_is_writable(&out->link))
            break;
        *ret_room = *ret_room == 0 ? BURST : *ret_room;
        status = parcel_write(entry->parcel, out->link.connection, ret_done);
        const size_t now = left - parcel_left(entry->parcel), size = now + FRAME_OVERHEAD;
        *ret_room -= size < *ret_room ? size : *ret_room;
        out->held -= *ret_done ? left : now;
    }
    return status;
}

static bool has_to_write(const struct publisher *out)
{
    return out->unsent < out->end && !out->is_full && !out->link.is_blocked;
}

static enum bridge_result write_some(struct publisher *out)
{
    size_t room = 0;
    int status = AMQP_STATUS_OK;
    bool done = true;
    if (!has_to_write(out))
        return BRIDGE_OK;
    cork(out, 1);
    while (out->unsent < out->end && done && status == AMQP_STATUS_OK) {
        struct entry *entry = &out->entries[out->unsent];
        if (!entry->parcel) {
            out->unsent++;
            continue;
        }
        done = false;
        status = write_entry(out, entry, &room, &done);
        if (done) {
            entry->tag = out->next_tag++;
            parcel_empty(entry->parcel);
            out->unsent++;
        }
    }
    cork(out, 0);
    return link_check(&out->link, status, "the connection is lost");
}

/* ---- answers --------------------------------------------------------------------- */

static void take_ack(struct publisher *out, uint64_t tag, bool multiple, bool is_nack)
{
    for (size_t i = out->first; i < out->unsent && out->entries[i].tag <= tag; i++) {
        struct entry *entry = &out->entries[i];
        if (entry->tag != tag && (!multiple || entry->tag == 0))
            continue;
        entry->is_confirmed = entry->is_confirmed || (!is_nack && !entry->is_nacked);
        entry->is_nacked = !entry->is_confirmed;
        out->is_full = out->is_full || is_nack;
    }
}

/* Whether each message that was sent has an answer. */
static bool is_answered(const struct publisher *out)
{
    size_t i = out->first;
    while (i < out->unsent && (out->entries[i].words || out->entries[i].is_confirmed || out->entries[i].is_nacked))
        i++;
    return i == out->unsent;
}

/* A message that no queue takes. To a queue this is the news that it is gone, and no fault of the message. */
static enum bridge_result begin_return(struct publisher *out, const amqp_basic_return_t *back)
{
    out->returned.is_coming = true;
    out->returned.has_properties = false;
    (void)snprintf(out->returned.words, sizeof out->returned.words, "%d %.*s", back->reply_code,
                   LINK_TEXT(back->reply_text));
    (void)snprintf(out->returned.key, sizeof out->returned.key, "%.*s", LINK_TEXT(back->routing_key));
    if (out->link.target->queue)
        return bridge_trouble(out->bridge, BRIDGE_LOST, STATUS_TRY_LATER, "the queue is gone: %s", out->returned.words);
    return BRIDGE_OK;
}

static enum bridge_result take_return(struct publisher *out, const amqp_basic_properties_t *properties)
{
    for (size_t i = out->first; i < out->unsent; i++) {
        struct entry *entry = &out->entries[i];
        if (!entry->parcel || entry->words || entry->is_confirmed ||
            !parcel_is(entry->parcel, amqp_cstring_bytes(out->returned.key), properties->message_id))
            continue;
        entry->words = strdup(out->returned.words);
        return entry->words ? BRIDGE_OK
                            : bridge_trouble(out->bridge, BRIDGE_LOST, STATUS_TRY_LATER, "%s", cli_reason(-ENOMEM));
    }
    return bridge_trouble(out->bridge, BRIDGE_LOST, STATUS_TRY_LATER, "a message came back that was not sent");
}

/* A return is a method, the properties of the message, and its body in any number of frames. */
static enum bridge_result take_frame(struct publisher *out, const amqp_frame_t *frame)
{
    if (frame->frame_type == AMQP_FRAME_HEADER && out->returned.is_coming) {
        out->returned.left = frame->payload.properties.body_size;
        out->returned.is_coming = out->returned.left > 0;
        return take_return(out, frame->payload.properties.decoded);
    }
    if (frame->frame_type == AMQP_FRAME_BODY) {
        const size_t size = frame->payload.body_fragment.len;
        out->returned.left -= size < out->returned.left ? size : out->returned.left;
        out->returned.is_coming = out->returned.left > 0;
        return BRIDGE_OK;
    }
    if (frame->frame_type != AMQP_FRAME_METHOD)
        return BRIDGE_OK;
    const amqp_basic_ack_t *ack = frame->payload.method.decoded;
    const amqp_basic_nack_t *nack = frame->payload.method.decoded;
    switch (frame->payload.method.id) {
    case AMQP_BASIC_ACK_METHOD:
        take_ack(out, ack->delivery_tag, ack->multiple, false);
        return BRIDGE_OK;
    case AMQP_BASIC_NACK_METHOD: /* a queue that is full and says so, or that has failed */
        take_ack(out, nack->delivery_tag, nack->multiple, true);
        return BRIDGE_OK;
    case AMQP_BASIC_RETURN_METHOD:
        return begin_return(out, frame->payload.method.decoded);
    default:
        return BRIDGE_OK;
    }
}

static enum bridge_result read_all(struct publisher *out)
{
    enum bridge_result result;
    amqp_frame_t frame;
    bool is_there;
    do {
        result = link_read(&out->link, &frame, &is_there);
        if (result == BRIDGE_OK && is_there)
            result = take_frame(out, &frame);
    } while (result == BRIDGE_OK && is_there);
    return result;
}

/* ---- the outlet ------------------------------------------------------------------ */

static void drop_first(struct publisher *out)
{
    struct entry *entry = &out->entries[out->first++];
    parcel_free(entry->parcel);
    free(entry->words);
    if (out->unsent < out->first)
        out->unsent = out->first;
}

static enum bridge_result pass_on(struct publisher *out, uint64_t *ret_confirmed)
{
    enum bridge_result result = BRIDGE_OK;
    for (; result == BRIDGE_OK && out->first < out->end; drop_first(out)) {
        const struct entry *entry = &out->entries[out->first];
        if (entry->words)
            result = bridge_trouble(out->bridge, BRIDGE_SKIPPED, STATUS_DATA, "%s", entry->words);
        else if (entry->is_confirmed)
            ++*ret_confirmed;
        else
            break;
    }
    return result;
}

static enum bridge_result talk(struct publisher *out)
{
    enum bridge_result result = link_beat(&out->link);
    if (result == BRIDGE_OK)
        result = write_some(out);
    if (result == BRIDGE_OK)
        result = read_all(out);
    if (result == BRIDGE_OK && out->is_full && is_answered(out))
        return bridge_trouble(out->bridge, BRIDGE_LOST, STATUS_TRY_LATER,
                              "it does not take a message now (basic.nack): a queue there may be full");
    return result;
}

/* The answers that came are passed on before the reason why no more will come. */
static enum bridge_result work(void *peer, uint64_t *ret_confirmed)
{
    struct publisher *out = peer;
    enum bridge_result result = out->ended;
    if (result == BRIDGE_OK) {
        result = talk(out);
        if (result != BRIDGE_OK) {
            out->ended = result;
            out->ended_status = out->bridge->trouble.status;
            memcpy(out->ended_words, out->bridge->trouble.words, sizeof out->ended_words);
        } else
            link_watch(&out->link, has_to_write(out) ? EPOLLIN | EPOLLOUT : EPOLLIN);
    }
    const enum bridge_result passed = pass_on(out, ret_confirmed);
    if (passed != BRIDGE_OK || out->ended == BRIDGE_OK)
        return passed;
    return bridge_trouble(out->bridge, out->ended, out->ended_status, "%s", out->ended_words);
}

static enum bridge_result finish(void *peer, bool all_confirmed)
{
    struct publisher *out = peer;
    /* No answer is of use any more, and a message may be half written: end all at once. */
    out->link.has_channel = false;
    out->link.is_up = out->link.is_up && all_confirmed && !out->link.is_blocked;
    (void)link_close(&out->link);
    while (out->first < out->end)
        drop_first(out);
    out->first = out->unsent = out->end = 0;
    out->held = 0;
    out->next_tag = 1;
    out->returned.is_coming = out->is_full = false;
    out->ended = BRIDGE_OK;
    return BRIDGE_OK;
}

static const struct outlet outlet = {.open = open_channel, .put = put, .work = work, .held = held, .close = finish};

int publish_run(struct bridge *bridge, const char *queue, const struct target *target)
{
    struct publisher out = {.bridge = bridge, .link = {.bridge = bridge, .target = target}, .next_tag = 1};
    const int status = outgoing_run(bridge, queue, &outlet, &out);
    free(out.entries);
    return status;
}
