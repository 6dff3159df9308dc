/* A bridge between two names of one spool. */
#include "bridge/local.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "bridge/bridge.h"
#include "bridge/dead_letter.h"
#include "cli/cli.h"
#include "message/content.h"
#include "send/destination.h"

#define MESSAGES 64                  /* in a transaction */
#define DEADLINE (10 * CLOCK_SECOND) /* of a transaction: what a killed bridge had is back after it */

struct local {
    struct bridge bridge;
    mq_queue *from;
    struct destination to;
    mq_message *messages[MESSAGES];
    size_t count;
};

static enum bridge_result fail(struct local *local, int error, const char *what)
{
    const int status = error == -ESTALE ? STATUS_TRY_LATER : cli_status(error); /* its message comes again */
    return bridge_trouble(&local->bridge, status == STATUS_TRY_LATER ? BRIDGE_LOST : BRIDGE_FAILED, status, "%s: %s",
                          what, cli_reason(error));
}

/* ---- a copy ---------------------------------------------------------------------- */

/* Give a message the id, the headers, the priority, the expiry and the attempts that it has, of another. What the
   library writes itself it refuses to be given. */
static int copy_head(const mq_message *message, mq_message *copy)
{
    const char *name, *value;
    const int64_t expires = mq_message_expires_at(message);
    int error = mq_message_set_id(copy, mq_message_id(message));
    if (!error)
        error = mq_message_set_priority(copy, mq_message_priority(message));
    if (!error && expires)
        error = mq_message_set_expires(copy, expires);
    if (!error && mq_message_max_attempts(message))
        error = mq_message_set_max_attempts(copy, mq_message_max_attempts(message));
    for (size_t i = 0; !error && mq_message_header_at(message, i, &name, &value) == 1; i++) {
        error = mq_message_set_header(copy, name, value);
        error = error == -EPERM ? 0 : error;
    }
    return error;
}

static int send_copy(struct local *local, mq_tx *tx, mq_message *message)
{
    const struct mq_send_options options = {MQ_SEND_DEFAULTS};
    mq_message *copy = NULL;
    char *body = NULL;
    int error = mq_message_new(&copy);
    if (!error)
        error = copy_head(message, copy);
    if (!error)
        error = content_copy(message, &body);
    if (!error) {
        mq_message_set_body(copy, body, (size_t)mq_message_size(message));
        local->to.tx = tx;
        error = destination_send(&local->to, copy, &options, NULL, NULL);
    }
    mq_message_free(copy);
    free(body);
    return error;
}

/* ---- one transaction ------------------------------------------------------------- */

/* Why this message can never be sent there; NULL: the error is not of the message. */
static const char *refusal(const struct local *local, int error)
{
    switch (-error) {
    case ENXIO:
        return local->to.topic ? "no binding takes it" : NULL;
    case EDOM:
        return "an ordered queue has no priorities";
    case EMSGSIZE:
    case EOVERFLOW:
    case E2BIG:
    case EINVAL:
        return cli_reason(error);
    default:
        return NULL;
    }
}

static int give_up(struct local *local, size_t which, const char *words)
{
    mq_message *message = local->messages[which];
    const int error = dead_letter(local->from, message, local->bridge.shown, words);
    (void)bridge_trouble(&local->bridge, BRIDGE_OK, STATUS_FAILED, "%s", words);
    if (!error)
        bridge_refused(&local->bridge, mq_message_id(message));
    mq_message_free(message);
    local->messages[which] = NULL;
    return error == -ESTALE ? 0 : error;
}

/* Put copies of all into the transaction, and then the claims. */
static enum bridge_result fill(struct local *local, mq_tx *tx, uint64_t *ret_count)
{
    for (size_t i = 0; i < local->count; i++) {
        const int error = send_copy(local, tx, local->messages[i]);
        const char *words = error ? refusal(local, error) : NULL;
        const int left = words ? give_up(local, i, words) : error;
        if (left)
            return fail(local, left, "cannot publish");
    }
    for (size_t i = 0; i < local->count; i++) {
        if (!local->messages[i])
            continue;
        const int error = mq_tx_take(tx, local->from, mq_message_receipt(local->messages[i]), 0);
        if (error)
            return fail(local, error, "cannot take a claim into a transaction");
        ++*ret_count;
    }
    return BRIDGE_OK;
}

static enum bridge_result commit(struct local *local, mq_tx *tx, uint64_t count)
{
    const int error = mq_tx_commit(tx);
    if (error && error != -EINPROGRESS)
        return fail(local, error, "cannot commit");
    bridge_carried(&local->bridge, count);
    return error ? fail(local, error, "committed") : BRIDGE_OK;
}

/* Carry what was claimed. What is not carried is given back. */
static enum bridge_result carry(struct local *local)
{
    mq_tx *tx = NULL;
    uint64_t count = 0;
    const int error = mq_tx_begin(cli_spool, DEADLINE, &tx);
    enum bridge_result result = error ? fail(local, error, "cannot begin a transaction") : fill(local, tx, &count);
    if (result == BRIDGE_OK && count > 0)
        result = commit(local, tx, count);
    else if (tx)
        (void)mq_tx_abort(tx);
    mq_tx_free(tx);
    for (size_t i = 0; i < local->count; i++) {
        if (local->messages[i] && result != BRIDGE_OK) /* worthless where the transaction took it: then it is back */
            (void)mq_release(local->from, mq_message_receipt(local->messages[i]));
        mq_message_free(local->messages[i]);
    }
    local->count = 0;
    return result;
}

/* ---- the loop -------------------------------------------------------------------- */

/* Claim what is ready, waiting for the first. `ret_over`: nothing more is to be carried. */
static enum bridge_result claim(struct local *local, bool *ret_over)
{
    struct mq_receive_options options = {MQ_RECEIVE_DEFAULTS};
    int64_t next;
    const uint64_t most = bridge_allows(&local->bridge, 0, MESSAGES, &next);
    int got = 1;
    *ret_over = most == 0 && next == MQ_FOREVER;
    if (most == 0 && !*ret_over)
        bridge_wait(&local->bridge, next);
    options.wait = local->bridge.arguments->until_empty ? 0 : MQ_FOREVER;
    options.cancel_fd = local->bridge.poll;
    while (local->count < most && got == 1) {
        got = mq_receive(local->from, &options, &local->messages[local->count]);
        local->count += got == 1;
        options.wait = 0;
    }
    bridge_took(&local->bridge, local->count);
    if (got < 0 && got != -ECANCELED && local->count == 0)
        return fail(local, got, "cannot receive");
    *ret_over = *ret_over || (got == 0 && local->count == 0 && local->bridge.arguments->until_empty);
    return BRIDGE_OK;
}

static enum bridge_result work(struct local *local)
{
    bool is_over = false;
    enum bridge_result result = BRIDGE_OK;
    bridge_is_up(&local->bridge);
    while (result == BRIDGE_OK && !is_over) {
        result = bridge_heed_signals(&local->bridge);
        if (result == BRIDGE_OK)
            result = claim(local, &is_over);
        if (result == BRIDGE_OK && local->count > 0)
            result = carry(local);
    }
    return result;
}

static int open_both(struct local *local, const struct bridge_arguments *arguments)
{
    if (strcmp(arguments->source, arguments->destination) == 0)
        return cli_fail(STATUS_USAGE, arguments->source, "source and destination are the same");
    int status = bridge_open_source(arguments, arguments->source, &local->from);
    if (status == STATUS_DONE)
        status = destination_open(&local->to, arguments->destination);
    return status;
}

int local_run(const struct bridge_arguments *arguments)
{
    struct local local = {0};
    enum bridge_result result;
    int status = open_both(&local, arguments);
    if (status != STATUS_DONE)
        return status;
    status = bridge_open(&local.bridge, arguments, arguments->destination);
    if (status != STATUS_DONE)
        return status;
    do
        result = work(&local);
    while (bridge_goes_on(&local.bridge, result));
    mq_close(local.from);
    destination_close(&local.to);
    return bridge_close(&local.bridge);
}
