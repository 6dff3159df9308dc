/* Out: from a queue here to the other side. */
#include "bridge/outgoing.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/grow.h"
#include "base/units.h"
#include "bridge/answers.h"
#include "bridge/dead_letter.h"
#include "cli/cli.h"

#define MESSAGES OUTGOING_MESSAGES
#define BYTES ((uint64_t)8 << 20)
#define HELD ((size_t)256 << 10)    /* bytes that are put before they are written */
#define ALONE_FOR 4096              /* messages, after one was refused */
#define SILENCE (45 * CLOCK_SECOND) /* without a confirmation while bytes no longer flow */

/* What one claim received. Its messages were put in the order of the claims. */
struct claim {
    mq_batch *batch;
    size_t count; /* that were put */
    size_t answered;
    size_t confirmed;       /* before the first that was refused */
    struct answers answers; /* about that one, and those behind it */
    uint64_t *marks;
    size_t marks_room;
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
    size_t held_before;   /* when it was last looked whether anything moves */
    unsigned alone;       /* how many more messages go one by one, since one was refused */
    struct answers known; /* about messages that went back to their place */
};

static struct claim *claim_at(struct outgoing *out, uint64_t number)
{
    return &out->claims[number % MESSAGES];
}

static void claim_release(struct claim *claim)
{
    mq_batch_free(claim->batch);
    answers_release(&claim->answers);
    free(claim->marks);
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

/* Give back what is not confirmed. What is known of those messages is kept until they are claimed again. */
static enum bridge_result give_back_first(struct outgoing *out)
{
    struct claim *claim = claim_at(out, out->first);
    const int error = mq_batch_release(out->queue, claim->batch, claim->confirmed);
    answers_move(&claim->answers, &out->known);
    drop_first(out);
    return check_end(out, error);
}

/* Ack what is confirmed to the end of its claim. The rest of a claim in part answered stays until then. */
static enum bridge_result ack_confirmed(struct outgoing *out)
{
    enum bridge_result result = BRIDGE_OK;
    while (out->first < out->end && result == BRIDGE_OK) {
        struct claim *claim = claim_at(out, out->first);
        if (claim->answered < claim->count)
            break;
        if (claim->is_cut || claim->answers.count > 0) {
            result = give_back_first(out);
            continue;
        }
        result = check_end(out, mq_batch_ack(out->queue, claim->batch, claim->count));
        drop_first(out);
    }
    return result;
}

/* Note the answer about the next message of a claim. Without memory for it the message is carried again. */
static void answer(struct claim *claim, const char *words)
{
    if (!words && claim->answers.count == 0)
        claim->confirmed++;
    else
        (void)answers_add(&claim->answers, claim->marks[claim->answered], words);
    claim->answered++;
}

static enum bridge_result confirm(struct outgoing *out, uint64_t count)
{
    bridge_carried(out->bridge, count);
    for (uint64_t i = out->first; i < out->end && count > 0; i++) {
        struct claim *claim = claim_at(out, i);
        for (; claim->answered < claim->count && count > 0; count--)
            answer(claim, NULL);
    }
    return ack_confirmed(out);
}

/* The other side may be slow, or stopped, and be there all the same: that is for its program to tell. Until then this only
   says why nothing is carried. */
static void note_silence(struct outgoing *out)
{
    const int64_t now = clock_monotonic();
    const size_t held = out->outlet->held(out->peer);
    if (pending(out) == 0 || held != out->held_before)
        out->bridge->moved_at = now;
    out->held_before = held;
    if (now - out->bridge->moved_at <= SILENCE || out->bridge->told != TOLD_NOTHING)
        return;
    (void)bridge_trouble(out->bridge, BRIDGE_OK, STATUS_TRY_LATER, "no confirmation for %d s",
                         (int)(SILENCE / CLOCK_SECOND));
    bridge_has_to_wait(out->bridge);
}

/* Give back all that is not confirmed. */
static enum bridge_result give_back(struct outgoing *out)
{
    enum bridge_result result = BRIDGE_OK;
    while (out->first < out->end) {
        const enum bridge_result released = give_back_first(out);
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

static enum bridge_result bury(struct outgoing *out, mq_message *message, const char *words)
{
    const int error = dead_letter(out->queue, message, out->bridge->shown, words);
    if (!error) {
        (void)bridge_trouble(out->bridge, BRIDGE_OK, STATUS_DATA, "%s", words);
        bridge_refused(out->bridge, mq_message_id(message));
    }
    return check_end(out, error);
}

/* The first message that has no answer is refused, alone. If it was claimed with others, all from it on go back to their
   places when there is an answer for each, and are claimed again one by one. */
static enum bridge_result note_skipped(struct outgoing *out)
{
    struct claim *claim = claim_at(out, out->first);
    char words[BRIDGE_WORDS_SIZE];
    (void)snprintf(words, sizeof words, "%s", out->bridge->trouble.words);
    if (claim->count == 1 && mq_message_receipt(claim->message)) {
        const enum bridge_result result = bury(out, claim->message, words);
        drop_first(out);
        return result;
    }
    answer(claim, words);
    return ack_confirmed(out);
}

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
    char words[BRIDGE_WORDS_SIZE];
    (void)snprintf(words, sizeof words, "%s", out->bridge->trouble.words);
    const enum bridge_result result = bury(out, claim->message, words);
    out->alone = 0;
    drop_first(out);
    return result;
}

/* ---- claiming -------------------------------------------------------------------- */

static enum bridge_result put(struct outgoing *out, struct claim *claim, mq_message *message)
{
    if (!GROW(claim->marks, claim->count + 1, claim->marks_room))
        return fail_here(out, -ENOMEM, "cannot receive");
    claim->marks[claim->count++] = answers_mark(message);
    claim->message = message;
    claim->bytes += mq_message_size(message);
    out->bytes += mq_message_size(message);
    out->end_id++;
    return out->outlet->put(out->peer, message);
}

/* Put the messages of a claim. The last of them lives until something else is asked of the batch. */
static enum bridge_result put_all(struct outgoing *out, struct claim *claim)
{
    enum bridge_result result = BRIDGE_OK;
    mq_message *message;
    int got = 1;
    while (result == BRIDGE_OK && claim->count < mq_batch_count(claim->batch) &&
           (got = mq_batch_next(claim->batch, &message)) == 1)
        result = put(out, claim, message);
    claim->is_cut = got < 0;
    return result;
}

/* Claim up to `most` messages into the place behind the claims of the ring, waiting for them. 1: done. 0: there are none. */
static int receive(struct outgoing *out, uint64_t most, int64_t wait, struct claim **ret_claim)
{
    struct claim *claim = *ret_claim = claim_at(out, out->end);
    struct mq_receive_options options = {MQ_RECEIVE_DEFAULTS};
    mq_batch *batch = claim->batch;
    if (!batch && mq_batch_new(&batch) < 0)
        return -ENOMEM;
    *claim = (struct claim){
        .batch = batch, .answers = claim->answers, .marks = claim->marks, .marks_room = claim->marks_room};
    options.wait = wait;
    options.cancel_fd = wait ? out->bridge->poll : -1;
    const int got = mq_receive_batch(out->queue, &options, most, batch);
    return got == -ECANCELED ? 0 : got;
}

/* Claim what is ready, waiting for it. `ret_claimed`: whether there was something. */
static enum bridge_result claim_next(struct outgoing *out, uint64_t most, int64_t wait, bool *ret_claimed)
{
    struct claim *claim;
    const int got = receive(out, out->alone ? 1 : most, wait, &claim);
    *ret_claimed = got > 0;
    if (got <= 0)
        return got == 0 ? BRIDGE_OK : fail_here(out, got, "cannot receive");
    out->alone -= out->alone > 0;
    out->end++;
    const enum bridge_result result = put_all(out, claim);
    bridge_took(out->bridge, claim->count);
    return result == BRIDGE_OK && claim->count == 0 ? ack_confirmed(out) : result;
}

/* Claim the next message again, about which there is an answer. If it is another one, someone else has been quicker,
   and what is known is worth nothing: messages that the other side has are carried again. */
static enum bridge_result claim_known(struct outgoing *out)
{
    struct claim *claim;
    mq_message *message;
    char *words;
    const int got = receive(out, 1, 0, &claim);
    if (got < 0)
        return fail_here(out, got, "cannot receive");
    if (got == 1 && mq_batch_next(claim->batch, &message) == 1 && answers_take(&out->known, message, &words)) {
        const enum bridge_result result = words ? bury(out, message, words)
                                                : check_end(out, mq_batch_ack(out->queue, claim->batch, 1));
        free(words);
        return result;
    }
    answers_clear(&out->known);
    return got == 1 ? check_end(out, mq_batch_release(out->queue, claim->batch, 0)) : BRIDGE_OK;
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
        if (out->known.count > 0 && out->end - out->first < MESSAGES) {
            result = claim_known(out);
            continue;
        }
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
    enum bridge_result result, acked;
    do {
        uint64_t confirmed = 0;
        result = out->outlet->work(out->peer, &confirmed);
        acked = confirm(out, confirmed);
        note_silence(out);
        if (acked == BRIDGE_OK && result == BRIDGE_SKIPPED)
            acked = note_skipped(out);
    } while (acked == BRIDGE_OK && result == BRIDGE_SKIPPED);
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
    bridge_dies_of_signals(out->bridge, true);
    enum bridge_result result = out->outlet->open(out->peer);
    bridge_dies_of_signals(out->bridge, false);
    out->bridge->moved_at = clock_monotonic();
    while (result == BRIDGE_OK && !is_done)
        result = step(out, &is_done);
    if (result == BRIDGE_REFUSED && note_refused(out) != BRIDGE_OK)
        result = BRIDGE_FAILED;
    /* First, since the end of a connection that no longer answers may take longer than claims last. */
    const enum bridge_result given = give_back(out);
    const enum bridge_result closed = out->outlet->close(out->peer, result == BRIDGE_OK);
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
        claim_release(&out->claims[i]);
    answers_release(&out->known);
    free(out);
    mq_close(queue);
    return bridge_close(bridge);
}
