/* In: from the other side to a queue here. */
#include "bridge/incoming.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/grow.h"
#include "cli/cli.h"
#include "send/destination.h"

#define MESSAGES 1024 /* asked for at a time, if they are quickly sent here and small */
#define FIRST 256
#define FEW_BYTES ((uint64_t)8 << 20)
#define SHORT CLOCK_SECOND /* so long it is to take to send them, since they are claimed meanwhile */
#define LONG (4 * CLOCK_SECOND)
#define LOOK_EVERY (5 * CLOCK_SECOND)

struct incoming {
    struct bridge *bridge;
    struct destination to;
    const struct inlet *inlet;
    void *peer;
    struct incoming_items coming, batch; /* what comes now, and what is sent here meanwhile */
    bool is_asked, is_settled, was_empty;
    bool is_stale;           /* what is asked for was so before messages went back there */
    uint64_t most;           /* to ask for */
    enum bridge_result ends; /* not BRIDGE_OK: nothing can be sent here for now, and what still comes goes back */
};

/* ---- items ----------------------------------------------------------------------- */

struct incoming_item *incoming_add(struct incoming_items *items)
{
    if (!GROW(items->items, items->count + 1, items->room))
        return NULL;
    items->items[items->count] = (struct incoming_item){0};
    return &items->items[items->count++];
}

static void clear(struct incoming_items *items)
{
    for (size_t i = 0; i < items->count; i++) {
        mq_message_free(items->items[i].message);
        json_record_release(&items->items[i].record);
        free(items->items[i].token);
    }
    items->count = 0;
}

/* ---- into the queue -------------------------------------------------------------- */

/* Whether the queue refuses this message, rather than any. */
static bool is_of_message(int error)
{
    return error == -ENXIO || error == -EMSGSIZE || error == -EINVAL || error == -E2BIG || error == -EOVERFLOW ||
           error == -EDOM || error == -ENODATA;
}

static enum bridge_result settle(struct incoming *in, enum incoming_end end, size_t first, size_t count,
                                 const char *words)
{
    if (count == 0)
        return BRIDGE_OK;
    in->is_settled = false;
    return in->inlet->settle(in->peer, end, in->batch.items + first, count, words);
}

static enum bridge_result reject(struct incoming *in, size_t which, const char *words)
{
    (void)bridge_trouble(in->bridge, BRIDGE_OK, STATUS_FAILED, "%s", words);
    bridge_refused(in->bridge, mq_message_id(in->batch.items[which].message));
    return settle(in, INCOMING_REJECT, which, 1, words);
}

/* Send the messages from `first` on, in order. `ret_sent` gets how many; an error is of the next. */
static int send_at_once(struct incoming *in, size_t first, const struct mq_send_options *options, size_t *ret_sent)
{
    mq_message *messages[MESSAGES];
    size_t count = 0;
    for (; first + count < in->batch.count && count < MESSAGES; count++)
        messages[count] = in->batch.items[first + count].message;
    return destination_send_batch(&in->to, messages, count, options, NULL, NULL, ret_sent);
}

/* One by one, since several that go to the same queues are sent together or not. */
static int send_to_topic(struct incoming *in, size_t first, const struct mq_send_options *options, size_t *ret_sent)
{
    int error = 0;
    for (size_t i = first; i < in->batch.count && !error; i++) {
        error = destination_send(&in->to, in->batch.items[i].message, options, NULL, NULL);
        *ret_sent += error == 0;
    }
    return error;
}

static int send_some(struct incoming *in, size_t first, size_t *ret_sent)
{
    struct mq_send_options options = {MQ_SEND_DEFAULTS};
    options.once = true;
    *ret_sent = 0;
    return in->to.topic ? send_to_topic(in, first, &options, ret_sent) : send_at_once(in, first, &options, ret_sent);
}

/* Nothing can be sent here for now. What came goes back, and so does what was asked for before. */
static enum bridge_result fail_here(struct incoming *in, size_t first, int error)
{
    if (error && cli_status(error) == STATUS_TRY_LATER) {
        in->ends = bridge_trouble(in->bridge, BRIDGE_LOST, STATUS_TRY_LATER, "%s: cannot publish here: %s", in->to.name,
                                  cli_reason(error));
    } else if (error) {
        const int status = in->to.topic ? cli_topic_error(error, in->to.name, "cannot publish")
                           : in->to.log ? cli_log_error(error, in->to.name, "cannot publish")
                                        : cli_queue_error(error, in->to.name, "cannot publish");
        in->bridge->status = cli_worse(in->bridge->status, status);
        in->ends = bridge_trouble(in->bridge, BRIDGE_FAILED, cli_status(error), "ended, since the queue here failed");
    }
    return settle(in, INCOMING_RELEASE, first, in->batch.count - first, NULL);
}

/* All that was asked for is held in memory. */
static void fit_most(struct incoming *in, int64_t taken)
{
    const uint64_t limit = in->inlet->most ? in->inlet->most : MESSAGES;
    uint64_t bytes = 0;
    for (size_t i = 0; i < in->batch.count; i++)
        bytes += mq_message_size(in->batch.items[i].message);
    if (taken < SHORT && bytes < FEW_BYTES && in->batch.count >= in->most && in->most < limit)
        in->most *= 2;
    else if ((taken > LONG || bytes > 4 * FEW_BYTES) && in->most > 1)
        in->most /= 2;
}

/* Send what has come, and ack it there. */
static enum bridge_result store(struct incoming *in)
{
    enum bridge_result result = BRIDGE_OK;
    const int64_t begun = clock_monotonic();
    if (in->ends)
        return fail_here(in, 0, 0);
    for (size_t at = 0, sent; at < in->batch.count && result == BRIDGE_OK; at += sent) {
        const int error = send_some(in, at, &sent);
        bridge_carried(in->bridge, sent);
        result = settle(in, INCOMING_ACK, at, sent, NULL);
        if (result != BRIDGE_OK)
            break;
        if (error && !is_of_message(error))
            return fail_here(in, at + sent, error);
        if (error && in->batch.items[at + sent].is_bound) { /* they come again, one by one */
            in->is_stale = in->is_asked;
            return settle(in, INCOMING_RELEASE, at + sent, in->batch.count - at - sent, NULL);
        }
        if (error)
            result = reject(in, at + sent++, error == -ENXIO ? "no binding takes it" : cli_reason(error));
    }
    fit_most(in, clock_monotonic() - begun);
    return result;
}

/* ---- the loop -------------------------------------------------------------------- */

/* Ask for more if there may be more: `ret_asked`. `ret_next`: when it may be; `ret_over`: never. */
static enum bridge_result ask(struct incoming *in, bool *ret_asked, int64_t *ret_next, bool *ret_over)
{
    *ret_next = MQ_FOREVER;
    const bool until_empty = in->bridge->arguments->until_empty;
    const uint64_t most = in->is_asked || in->ends ? 0 : bridge_allows(in->bridge, in->batch.count, in->most, ret_next);
    *ret_over = !in->is_asked && (in->ends || (most == 0 && *ret_next == MQ_FOREVER) || (until_empty && in->was_empty));
    if (most == 0 || *ret_over)
        return BRIDGE_OK;
    /* What is settled is confirmed before there may be a wait. */
    if (in->was_empty && !in->is_settled)
        return BRIDGE_OK;
    in->is_asked = *ret_asked = true;
    return in->inlet->ask(in->peer, most, in->was_empty);
}

static enum bridge_result step(struct incoming *in, bool *ret_done)
{
    bool is_answered = false, is_asked = false, is_over = false;
    int64_t next;
    /* First, since because of a signal what is asked for may be answered at once. */
    enum bridge_result result = bridge_heed_signals(in->bridge);
    if (result == BRIDGE_OK)
        result = in->inlet->work(in->peer, &in->coming, &is_answered, &in->is_settled);
    if (result != BRIDGE_OK)
        return result;
    if (in->is_asked && is_answered) {
        const struct incoming_items empty = in->batch;
        in->batch = in->coming;
        in->coming = empty;
        in->is_asked = false;
        in->was_empty = in->batch.count == 0 && !in->is_stale;
        in->is_stale = false;
        bridge_took(in->bridge, in->batch.count);
    }
    result = ask(in, &is_asked, &next, &is_over); /* the next ones come while these are sent */
    if (result == BRIDGE_OK && in->batch.count > 0) {
        result = store(in);
        clear(&in->batch);
        return result;
    }
    *ret_done = is_over && in->is_settled;
    if (is_asked) /* which `work` has yet to write; and what is asked for may have come already */
        return result;
    if (result == BRIDGE_OK && !*ret_done && (in->is_asked || !in->is_settled || next != MQ_FOREVER)) {
        const int64_t look_at = clock_monotonic() + LOOK_EVERY; /* whether the other side still answers */
        bridge_wait(in->bridge, next != MQ_FOREVER && next < look_at ? next : look_at);
    }
    return result;
}

static enum bridge_result connection(struct incoming *in)
{
    bool is_done = false;
    in->is_asked = in->was_empty = in->is_stale = false;
    in->most = FIRST;
    in->ends = BRIDGE_OK;
    in->is_settled = true;
    bridge_dies_of_signals(in->bridge, true);
    enum bridge_result result = in->inlet->open(in->peer);
    bridge_dies_of_signals(in->bridge, false);
    while (result == BRIDGE_OK && !is_done)
        result = step(in, &is_done);
    const enum bridge_result closed = in->inlet->close(in->peer, result == BRIDGE_OK);
    clear(&in->coming);
    clear(&in->batch);
    return result != BRIDGE_OK ? result : in->ends != BRIDGE_OK ? in->ends : closed;
}

int incoming_run(struct bridge *bridge, const char *name, const struct inlet *inlet, void *peer)
{
    enum bridge_result result;
    struct incoming in = {.bridge = bridge, .inlet = inlet, .peer = peer};
    const int status = destination_open(&in.to, name);
    if (status != STATUS_DONE)
        return status;
    do
        result = connection(&in);
    while (bridge_goes_on(bridge, result));
    free(in.coming.items);
    free(in.batch.items);
    destination_close(&in.to);
    return bridge_close(bridge);
}
