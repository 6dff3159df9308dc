/* Out: from a queue here to the other side. */
#include "bridge/outgoing.h"

#include <errno.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/units.h"
#include "bridge/dead_letter.h"
#include "cli/cli.h"

#define MESSAGES OUTGOING_MESSAGES
#define BYTES ((uint64_t)8 << 20)
#define HELD ((size_t)256 << 10) /* bytes that are put before they are written */
#define ALONE_FOR 4096           /* messages, after one was refused */

/* What one claim received. Its messages were put in the order of the claims. */
struct claim {
    mq_batch *batch;
    size_t count; /* that were put */
    size_t confirmed;
    uint64_t bytes;
    mq_message *message; /* the last of them */
    bool is_cut;         /* behind them are messages that are corrupt */
};

struct outgoing {
    struct bridge *bridge;
    mq_queue *queue;
    const struct outlet *outlet;
    void *peer;
    struct claim claims[MESSAGES]; /* a ring */
    uint64_t first, end;           /* claims in the ring */
    uint64_t first_id, end_id;     /* messages */
    uint64_t bytes;
    int64_t keep_every, keep_at;
    unsigned alone; /* how many more messages go one by one, since one was refused */
};

static struct claim *claim_at(struct outgoing *out, uint64_t number)
{
    return &out->claims[number % MESSAGES];
}

static uint64_t pending(const struct outgoing *out)
{
    return out->end_id - out->first_id;
}

static enum bridge_result fail_here(struct outgoing *out, int error, const char *what)
{
    out->bridge->status = cli_worse(out->bridge->status, cli_queue_error(error, mq_queue_name(out->queue), what));
    return bridge_trouble(out->bridge, BRIDGE_FAILED, cli_status(error), "ended, since the queue here failed");
}

/* ---- the end of claims ----------------------------------------------------------- */

static enum bridge_result check_end(struct outgoing *out, int error)
{
    if (error == -ESTALE)
        cli_note(mq_queue_name(out->queue), "a claim has ended before its message was confirmed; it is carried again");
    return error && error != -ESTALE ? fail_here(out, error, "cannot settle a claim") : BRIDGE_OK;
}

static void drop_first(struct outgoing *out)
{
    const struct claim *claim = claim_at(out, out->first++);
    out->bytes -= claim->bytes;
    out->first_id += claim->count;
}

/* Ack what is confirmed to the end of its claim. The rest of a claim in part confirmed stays until then. */
static enum bridge_result ack_confirmed(struct outgoing *out)
{
    enum bridge_result result = BRIDGE_OK;
    while (out->first < out->end && result == BRIDGE_OK) {
        struct claim *claim = claim_at(out, out->first);
        if (claim->confirmed < claim->count)
            break;
        result = check_end(out, claim->is_cut ? mq_batch_release(out->queue, claim->batch, claim->count)
                                              : mq_batch_ack(out->queue, claim->batch, claim->count));
        drop_first(out);
    }
    return result;
}

static enum bridge_result confirm(struct outgoing *out, uint64_t count)
{
    bridge_carried(out->bridge, count);
    for (uint64_t i = out->first; i < out->end && count > 0; i++) {
        struct claim *claim = claim_at(out, i);
        const size_t open = claim->count - claim->confirmed, now = count < open ? (size_t)count : open;
        claim->confirmed += now;
        count -= now;
    }
    return ack_confirmed(out);
}

/* Give back all that is not confirmed. */
static enum bridge_result give_back(struct outgoing *out)
{
    enum bridge_result result = BRIDGE_OK;
    for (; out->first < out->end; drop_first(out)) {
        struct claim *claim = claim_at(out, out->first);
        const enum bridge_result released = check_end(out,
                                                      mq_batch_release(out->queue, claim->batch, claim->confirmed));
        result = result == BRIDGE_OK ? released : result;
    }
    return result;
}

/* Extend the claims that wait for a long time. */
static enum bridge_result keep(struct outgoing *out)
{
    const int64_t now = pending(out) ? clock_monotonic() : 0;
    if (now < out->keep_at)
        return BRIDGE_OK;
    out->keep_at = now + out->keep_every;
    for (uint64_t i = out->first; i < out->end; i++) {
        const int error = mq_batch_keep(out->queue, claim_at(out, i)->batch);
        if (error < 0 && error != -ESTALE)
            return fail_here(out, error, "cannot extend a claim");
    }
    return BRIDGE_OK;
}

/* ---- refused messages ------------------------------------------------------------ */

/*
 * A message was refused. Which one is certain only if no other was on its way: the other side may take several together or
 * none of them. So if there were others, all go one by one for a while, until it is the only one.
 */
static enum bridge_result note_refused(struct outgoing *out)
{
    struct claim *claim = claim_at(out, out->first);
    out->alone = ALONE_FOR;
    if (pending(out) != 1 || !claim->message || !mq_message_receipt(claim->message))
        return BRIDGE_OK;
    const int error = dead_letter(out->queue, claim->message, out->bridge->shown, out->bridge->trouble.words);
    if (!error)
        bridge_refused(out->bridge, mq_message_id(claim->message));
    out->alone = 0;
    drop_first(out);
    return check_end(out, error);
}

/* ---- claiming -------------------------------------------------------------------- */

/* Put the messages of a claim. The last of them lives until something else is asked of the batch. */
static enum bridge_result put_all(struct outgoing *out, struct claim *claim)
{
    mq_message *message;
    int got = 1;
    while (claim->count < mq_batch_count(claim->batch) && (got = mq_batch_next(claim->batch, &message)) == 1) {
        claim->message = message;
        out->end_id++;
        claim->count++;
        claim->bytes += mq_message_size(message);
        const enum bridge_result result = out->outlet->put(out->peer, message);
        if (result != BRIDGE_OK)
            return result;
    }
    claim->is_cut = got < 0;
    return BRIDGE_OK;
}

/* Claim what is ready, waiting for it until `until`. `ret_claimed`: whether there was something. */
static enum bridge_result claim_next(struct outgoing *out, uint64_t most, int64_t wait, bool *ret_claimed)
{
    struct claim *claim = claim_at(out, out->end);
    struct mq_receive_options options = {MQ_RECEIVE_DEFAULTS};
    mq_batch *batch = claim->batch;
    *ret_claimed = false;
    if (!batch && mq_batch_new(&batch) < 0)
        return fail_here(out, -ENOMEM, "cannot receive");
    *claim = (struct claim){.batch = batch};
    options.wait = wait;
    options.cancel_fd = wait ? out->bridge->poll : -1;
    const int got = mq_receive_batch(out->queue, &options, out->alone ? 1 : most, batch);
    if (got <= 0)
        return got == 0 || got == -ECANCELED ? BRIDGE_OK : fail_here(out, got, "cannot receive");
    *ret_claimed = true;
    out->alone -= out->alone > 0;
    out->end++;
    const enum bridge_result result = put_all(out, claim);
    out->bytes += claim->bytes;
    bridge_took(out->bridge, claim->count);
    return result == BRIDGE_OK && claim->count == 0 ? ack_confirmed(out) : result;
}

enum filled { FILLED_SOME, FILLED_NOTHING, FILLED_EMPTY };

/* Claim as many as are ready and may be on their way. FILLED_NOTHING: none may now. FILLED_EMPTY: none is ready. */
static enum bridge_result fill(struct outgoing *out, enum filled *ret_filled)
{
    enum bridge_result result = BRIDGE_OK;
    bool claimed = true;
    int64_t next;
    *ret_filled = FILLED_NOTHING;
    while (result == BRIDGE_OK && claimed && out->outlet->held(out->peer) < HELD) {
        const bool has_room = out->alone ? out->first == out->end
                                         : out->bytes < BYTES && out->end - out->first < MESSAGES;
        const uint64_t most = has_room ? bridge_allows(out->bridge, pending(out), MESSAGES - pending(out), &next) : 0;
        if (most == 0)
            break;
        result = claim_next(out, most, 0, &claimed);
        *ret_filled = claimed ? FILLED_SOME : *ret_filled == FILLED_NOTHING ? FILLED_EMPTY : *ret_filled;
    }
    return result;
}

/* ---- the loop -------------------------------------------------------------------- */

/* Wait until there is a message, or something happens to the connection. */
static enum bridge_result wait_for_more(struct outgoing *out)
{
    bool claimed;
    int64_t next;
    const uint64_t most = bridge_allows(out->bridge, pending(out), MESSAGES - pending(out), &next);
    return claim_next(out, most, pending(out) ? out->keep_every : MQ_FOREVER, &claimed);
}

/* What the other side says, and what was noticed of signals. */
static enum bridge_result listen(struct outgoing *out)
{
    uint64_t confirmed = 0;
    const enum bridge_result result = out->outlet->work(out->peer, &confirmed), acked = confirm(out, confirmed);
    if (acked != BRIDGE_OK || result != BRIDGE_OK)
        return acked != BRIDGE_OK ? acked : result;
    const enum bridge_result heeded = bridge_heed_signals(out->bridge);
    return heeded != BRIDGE_OK ? heeded : keep(out);
}

static enum bridge_result step(struct outgoing *out, bool *ret_done)
{
    const bool until_empty = out->bridge->arguments->until_empty;
    enum filled filled = FILLED_NOTHING;
    int64_t next;
    enum bridge_result result = listen(out);
    if (result == BRIDGE_OK)
        result = fill(out, &filled);
    if (result != BRIDGE_OK || filled == FILLED_SOME)
        return result;
    const bool allowed = bridge_allows(out->bridge, pending(out), 1, &next) > 0;
    const bool is_over = (!allowed && next == MQ_FOREVER) || (filled == FILLED_EMPTY && until_empty);
    *ret_done = is_over && pending(out) == 0;
    if (*ret_done)
        return BRIDGE_OK;
    if (filled == FILLED_EMPTY && !until_empty)
        return wait_for_more(out);
    const int64_t keep_at = pending(out) ? clock_monotonic() + out->keep_every : MQ_FOREVER;
    bridge_wait(out->bridge, next == MQ_FOREVER || (keep_at != MQ_FOREVER && keep_at < next) ? keep_at : next);
    return BRIDGE_OK;
}

static enum bridge_result connection(struct outgoing *out)
{
    bool is_done = false;
    enum bridge_result result = out->outlet->open(out->peer);
    while (result == BRIDGE_OK && !is_done)
        result = step(out, &is_done);
    if (result == BRIDGE_REFUSED && note_refused(out) != BRIDGE_OK)
        result = BRIDGE_FAILED;
    const enum bridge_result closed = out->outlet->close(out->peer, result == BRIDGE_OK);
    const enum bridge_result given = give_back(out);
    return result != BRIDGE_OK ? result : closed != BRIDGE_OK ? closed : given;
}

/* How often claims are looked after: a quarter of the time that they last. */
static int64_t keep_interval(mq_queue *queue)
{
    char text[64];
    int64_t lasts = 0;
    if (mq_config_get(queue, "ack-timeout", text, sizeof text) != 0 || !units_parse_duration(text, &lasts))
        lasts = CLOCK_SECOND;
    const int64_t every = lasts / 4;
    return every < CLOCK_SECOND / 50 ? CLOCK_SECOND / 50 : every > 5 * CLOCK_SECOND ? 5 * CLOCK_SECOND : every;
}

int outgoing_run(struct bridge *bridge, const char *name, const struct outlet *outlet, void *peer)
{
    enum bridge_result result;
    mq_queue *queue;
    const int status = bridge_open_source(bridge->arguments, name, &queue);
    if (status != STATUS_DONE)
        return status;
    struct outgoing *out = cli_must(calloc(1, sizeof *out));
    *out = (struct outgoing){
        .bridge = bridge, .queue = queue, .outlet = outlet, .peer = peer, .keep_every = keep_interval(queue)};
    do
        result = connection(out);
    while (bridge_goes_on(bridge, result));
    for (size_t i = 0; i < MESSAGES; i++)
        mq_batch_free(out->claims[i].batch);
    free(out);
    mq_close(queue);
    return bridge_close(bridge);
}
