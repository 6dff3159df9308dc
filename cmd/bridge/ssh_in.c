/*
 * In by ssh.
 *
 * The loop there reads a verb and words from each line, and answers with what mq-recv prints and a line =VERB STATUS. It
 * asks for so many messages at a time as are sent here soon, so that none waits for longer than its claim lasts. Messages
 * that were sent together there are claimed as one, and the last of them has the receipt. If one of them is refused here,
 * they go back, and come with a receipt each.
 */
#include "bridge/ssh_in.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "bridge/incoming.h"
#include "bridge/ssh.h"
#include "cli/cli.h"
#include "text/text.h"

#define AT_END (5 * CLOCK_SECOND)
#define MOST 4096 /* a program is started there for each question */
#define FEW 2000  /* bytes of receipts */

static const char script[] = "exec sh -c '"
                             "IFS= read -r queue && IFS= read -r spool && IFS= read -r create && set -f && "
                             "if [ -n \"$spool\" ]; then export MQ_SPOOL=\"$spool\"; fi && echo " SSH_GREETING " && "
                             "while read -r verb rest; do case $verb in "
                             "take) mq-recv -q -j --together -n \"$rest\" --no-wait $create -- \"$queue\" </dev/null;; "
                             "each) mq-recv -q -j -n \"$rest\" --no-wait $create -- \"$queue\" </dev/null;; "
                             "wait) mq-recv -q -j -n 1 -w \"$rest\" $create -- \"$queue\" </dev/null;; "
                             "acks) mq-ack -q -- $rest;; "
                             "releases) mq-ack -q --release -- $rest;; "
                             "ack) dd bs=\"$rest\" count=1 iflag=fullblock status=none | mq-ack -q;; "
                             "release) dd bs=\"$rest\" count=1 iflag=fullblock status=none | mq-ack -q --release;; "
                             "reject) mq-ack -q --reject --reason \"${rest#* }\" -- \"${rest%% *}\";; "
                             "esac; echo \"=$verb $?\"; done'";

struct ssh_in {
    struct bridge *bridge;
    const struct url *url;
    const char *queue; /* there */
    struct stream stream;
    bool is_up, is_answered;
    uint64_t asked;     /* for so many messages */
    uint64_t singly;    /* so many are to come with a receipt each, also by the next connection */
    unsigned unsettled; /* lines about receipts that have no answer yet */
};

static enum bridge_result start(void *peer)
{
    struct ssh_in *in = peer;
    in->is_up = in->is_answered = false;
    in->unsettled = 0;
    return ssh_open(&in->stream, in->bridge, in->url, in->queue, script,
                    in->bridge->arguments->create ? "--create" : "");
}

static enum bridge_result out_of_memory(struct ssh_in *in)
{
    return bridge_trouble(in->bridge, BRIDGE_LOST, STATUS_TRY_LATER, "%s", cli_reason(-ENOMEM));
}

static bool say(struct ssh_in *in, const char *word)
{
    return stream_put(&in->stream, word, strlen(word));
}

/* ---- asking ---------------------------------------------------------------------- */

static enum bridge_result ask(void *peer, uint64_t most, bool waits)
{
    struct ssh_in *in = peer;
    char line[64];
    in->is_answered = false;
    in->asked = most;
    /* More than `most` may be taken, which only matters where they are counted. */
    const bool each = in->singly > 0 || in->bridge->arguments->count > 0 || in->bridge->arguments->interval > 0;
    (void)snprintf(line, sizeof line, waits ? "wait 2s\n" : each ? "each %ju\n" : "take %ju\n", (uintmax_t)most);
    if (!say(in, line))
        return out_of_memory(in);
    stream_flush(&in->stream);
    return BRIDGE_OK;
}

/* ---- settling -------------------------------------------------------------------- */

/* The receipts in one line; or, if they are many, how many bytes of receipts, and then these, a line each: a shell reads its
   lines byte by byte. Of messages that are bound to one that is settled later there is nothing to say yet. */
static bool say_receipts(struct ssh_in *in, const char *verb, const struct incoming_item *items, size_t count)
{
    char line[64];
    size_t size = 0;
    for (size_t i = 0; i < count; i++)
        size += items[i].token ? strlen(items[i].token) + 1 : 0;
    if (size == 0)
        return true;
    const bool are_few = size <= FEW;
    (void)snprintf(line, sizeof line, are_few ? "%ss" : "%s %zu\n", verb, size);
    bool done = say(in, line);
    for (size_t i = 0; i < count && done; i++)
        if (items[i].token)
            done = (!are_few || say(in, " ")) && say(in, items[i].token) && (are_few || say(in, "\n"));
    in->unsettled++;
    return done && (!are_few || say(in, "\n"));
}

static bool say_rejection(struct ssh_in *in, const struct incoming_item *item, const char *words)
{
    char reason[TEXT_ESCAPED(256)];
    const size_t size = strlen(words);
    (void)text_escape(words, size < 256 ? size : 256, "", reason);
    in->unsettled++;
    return say(in, "reject ") && say(in, item->token) && say(in, " ") && say(in, reason) && say(in, "\n");
}

static enum bridge_result settle(void *peer, enum incoming_end end, const struct incoming_item *items, size_t count,
                                 const char *words)
{
    struct ssh_in *in = peer;
    bool done = true;
    for (size_t i = 0; i < count && done && end == INCOMING_REJECT; i++)
        done = say_rejection(in, &items[i], words);
    if (end == INCOMING_RELEASE)
        in->singly = count;
    if (end != INCOMING_REJECT)
        done = say_receipts(in, end == INCOMING_ACK ? "ack" : "release", items, count);
    stream_flush(&in->stream);
    return done ? BRIDGE_OK : out_of_memory(in);
}

/* ---- what comes ------------------------------------------------------------------ */

/* Whether the text can be a receipt and nothing that a shell would split. */
static bool is_receipt(const char *text)
{
    char queue[MQ_QUEUE_NAME_SIZE];
    return mq_receipt_queue(text, queue) == 0 &&
           !text[strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                              "0123456789._-/=+")];
}

/* An object that mq-recv printed. */
static enum bridge_result take_object(struct ssh_in *in, const char *line, size_t size, struct incoming_items *items)
{
    struct incoming_item *item = incoming_add(items);
    mq_message *message = NULL;
    if (!item || mq_message_new(&message) < 0)
        return out_of_memory(in);
    const bool is_good = json_to_message(line, size, message, &item->record);
    const char *receipt = item->record.past.receipt;
    if (receipt && !is_receipt(receipt)) {
        mq_message_free(message);
        return bridge_trouble(in->bridge, BRIDGE_FAILED, STATUS_DATA, "a message came without a good receipt");
    }
    (void)mq_message_set_max_attempts(message, 0); /* what is sent once has no limit of its own */
    item->message = message;
    item->token = receipt ? strdup(receipt) : NULL;
    item->is_bound = !receipt || (items->count > 1 && !item[-1].token);
    if (!is_good)
        return bridge_trouble(in->bridge, BRIDGE_FAILED, STATUS_DATA, "a message came that is not understood here: %s",
                              item->record.problem);
    return item->token || !receipt ? BRIDGE_OK : out_of_memory(in);
}

/* =VERB STATUS. 1: nothing came, or a claim had ended, whose message comes again and is a duplicate here. */
static enum bridge_result take_answer(struct ssh_in *in, const char *line)
{
    const char *space = strchr(line, ' ');
    const int status = space ? atoi(space + 1) : STATUS_IO;
    const bool is_of_receive = strncmp(line, "=take ", 6) == 0 || strncmp(line, "=each ", 6) == 0 ||
                               strncmp(line, "=wait ", 6) == 0;
    if (strncmp(line, "=each ", 6) == 0)
        in->singly -= in->asked < in->singly ? in->asked : in->singly;
    if (is_of_receive)
        in->is_answered = true;
    else if (in->unsettled > 0)
        in->unsettled--;
    if (status == STATUS_NOTHING && !is_of_receive)
        cli_note(in->bridge->shown, "%s", in->stream.words);
    return status <= STATUS_NOTHING ? BRIDGE_OK : ssh_ended(&in->stream, in->bridge, status);
}

static enum bridge_result take_line(struct ssh_in *in, const char *line, size_t size, struct incoming_items *items)
{
    if (!in->is_up) {
        in->is_up = strcmp(line, SSH_GREETING) == 0;
        if (in->is_up)
            bridge_is_up(in->bridge);
        return BRIDGE_OK;
    }
    return *line == '{' ? take_object(in, line, size, items) : *line == '=' ? take_answer(in, line) : BRIDGE_OK;
}

static enum bridge_result work(void *peer, struct incoming_items *items, bool *ret_answered, bool *ret_settled)
{
    struct ssh_in *in = peer;
    enum bridge_result result = BRIDGE_OK;
    char *line;
    size_t size;
    if (!stream_work(&in->stream))
        return out_of_memory(in);
    while (result == BRIDGE_OK && stream_line(&in->stream, &line, &size))
        result = take_line(in, line, size, items);
    *ret_answered = in->is_answered;
    *ret_settled = in->unsettled == 0;
    if (result == BRIDGE_OK && in->stream.is_ended)
        return ssh_ended(&in->stream, in->bridge, stream_end(&in->stream, AT_END));
    const bool waits = !in->is_up || !in->is_answered || in->unsettled > 0;
    if (result == BRIDGE_OK && waits && stream_is_silent(&in->stream))
        return BRIDGE_LOST;
    return result;
}

static enum bridge_result finish(void *peer, bool all_settled)
{
    struct ssh_in *in = peer;
    (void)stream_end(&in->stream, all_settled ? AT_END : CLOCK_SECOND);
    return BRIDGE_OK;
}

static const struct inlet inlet = {
    .open = start, .ask = ask, .work = work, .settle = settle, .close = finish, .most = MOST};

int ssh_in(struct bridge *bridge, const char *queue, const struct url *url)
{
    struct ssh_in in = {.bridge = bridge, .url = url, .queue = ssh_queue(url, true)};
    const int status = incoming_run(bridge, queue, &inlet, &in);
    stream_release(&in.stream);
    return status;
}
