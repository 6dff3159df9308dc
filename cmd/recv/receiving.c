/* Receiving messages and printing them. */
#include "recv/receiving.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "cli/cli.h"
#include "cli/group.h"
#include "cli/signals.h"
#include "io/output_buffer.h"
#include "message/body_error.h"
#include "message/json_write.h"
#include "message/template.h"

/* Microseconds; longer than the library waits before it uses inotify. */
#define MOMENT INT64_C(1500000)
#define KEEP_EVERY 50 /* milliseconds between looks at the claim, while nobody reads the output */

struct receiver {
    const struct receiving *wanted;
    mq_queue *queue; /* that the last message came from */
    mq_batch *batch;
    struct output_buffer *out;
    struct output_patience patience;
    bool careful;       /* ack a message only when the reader of the pipe has read it */
    size_t acked;       /* messages of the batch that were acked; some are acked before all are written */
    mq_message *failed; /* the message of the batch that cannot be read; NULL: none */
    bool is_last;       /* of the batch */
    bool alone;         /* claim the next message without others */
    int lost;           /* the error of extending the claim while nobody read the output */
    int refused;        /* the error of acking a part of the batch */
    int ending;         /* a status with which a look ends it */
};

static const char *name_of(const struct receiver *receiver)
{
    return mq_queue_name(receiver->queue);
}

/* ---- printing -------------------------------------------------------------------- */

static int print_body(mq_message *message, struct output_buffer *out, char *ret_last)
{
    uint64_t left = mq_message_size(message);
    int error = 0;
    while (left > 0 && !error) {
        size_t size;
        char *room = output_buffer_room(out, &size);
        const ssize_t got = mq_message_read(message, room, size);
        if (got <= 0)
            return got < 0 ? (int)got : -EBADMSG;
        left -= (uint64_t)got;
        *ret_last = room[got - 1];
        error = output_buffer_added(out, (size_t)got);
    }
    return error;
}

/* Print the receipt, the body and its end. 0 or a negative errno. */
static int print_plain(const struct receiver *receiver, mq_message *message)
{
    const int framing = receiver->wanted->framing;
    char last = '\n';
    int error = 0;
    if (!receiver->wanted->auto_ack) {
        const char *receipt = mq_message_receipt(message);
        error = output_buffer_add(receiver->out, receipt, strlen(receipt));
        if (!error)
            error = output_buffer_add(receiver->out, "\n", 1);
    }
    if (!error)
        error = print_body(message, receiver->out, &last);
    if (!error && !framing && last != '\n' && output_is_terminal())
        error = output_buffer_add(receiver->out, "\n", 1); /* else the shell's prompt would follow on the same line */
    if (!error && framing)
        error = output_buffer_add(receiver->out, framing == 'l' ? "\n" : "", 1);
    return error;
}

static int print_json(const struct receiver *receiver, mq_message *message)
{
    struct json_text text = {0};
    const bool has_receipt = !receiver->wanted->auto_ack && receiver->is_last;
    const struct json_shown shown = {.queue = name_of(receiver),
                                     .receipt = has_receipt ? mq_batch_receipt(receiver->batch) : NULL};
    int error = json_from_message(message, &shown, &text);
    if (!error)
        error = json_text_end(&text);
    if (!error)
        error = output_buffer_add(receiver->out, text.data, text.size);
    json_text_release(&text);
    return error;
}

static int put(void *context, const void *data, size_t size)
{
    return output_buffer_add(context, data, size);
}

static int print_by_template(const struct receiver *receiver, mq_message *message)
{
    const struct template_message about = {.message = message,
                                           .queue = name_of(receiver),
                                           .group = cli_group_of(receiver->queue, message),
                                           .receipt = mq_message_receipt(message)};
    const int error = template_write(receiver->wanted->format, &about, put, receiver->out);
    return error ? error : output_buffer_add(receiver->out, receiver->wanted->framing == '0' ? "" : "\n", 1);
}

static int print_message(const struct receiver *receiver, mq_message *message)
{
    cli_note(name_of(receiver), "received %s, attempt %u", mq_message_id(message), mq_message_attempts(message));
    const int error = receiver->wanted->format           ? print_by_template(receiver, message)
                      : receiver->wanted->framing == 'j' ? print_json(receiver, message)
                                                         : print_plain(receiver, message);
    return error ? error : output_buffer_end_message(receiver->out);
}

/* ---- settling -------------------------------------------------------------------- */

static void keep(void *context)
{
    struct receiver *receiver = context;
    const int error = mq_batch_keep(receiver->queue, receiver->batch);
    if (error)
        receiver->lost = error;
}

/* A signal came. With --follow that is the expected end, unless a message was written in part. */
static int end(const struct receiver *receiver)
{
    const int first = output_buffer_signal(receiver->out);
    const bool fails = receiver->wanted->most > 0 && !receiver->wanted->may_be_stopped;
    if (fails && first)
        signals_die(first);
    if (fails || output_buffer_is_torn(receiver->out))
        signals_obey(receiver->patience.cancel_fd);
    return STATUS_DONE;
}

static int cannot_ack(const struct receiver *receiver, int error)
{
    if (error == -ESTALE)
        return cli_fail(STATUS_NOTHING, name_of(receiver),
                        "cannot ack: the claim ended while the output was written, and it will be delivered again");
    return cli_queue_error(error, name_of(receiver), "cannot ack");
}

/* Not everything could be written. The messages are not the cause, so those that were written are acked, and the others
   go back without a counted attempt. */
static int give_back(struct receiver *receiver, int why)
{
    if (why == -EPIPE)
        output_buffer_discount_unread(receiver->out);
    const size_t written = output_buffer_written(receiver->out);
    const size_t done = !receiver->wanted->auto_ack ? 0 : written > receiver->acked ? written : receiver->acked;
    const int error = mq_batch_release(receiver->queue, receiver->batch, done);
    if (why == -ECANCELED || output_buffer_signal(receiver->out))
        return error ? cannot_ack(receiver, error) : end(receiver);
    if (error)
        (void)cli_queue_error(error, name_of(receiver), "cannot give the messages back");
    if (receiver->refused)
        return cannot_ack(receiver, receiver->refused);
    const int status = why == -ENOMEM ? STATUS_TRY_LATER : STATUS_IO;
    return cli_fail(status, name_of(receiver), "cannot deliver: %s", cli_reason(why));
}

/* ---- receiving ------------------------------------------------------------------- */

/* Write what was gathered. If `careful`, also wait until the reader has read it. */
static int bring_out(struct receiver *receiver)
{
    const int error = output_buffer_flush(receiver->out);
    return error || !receiver->careful ? error : output_buffer_wait_until_read(receiver->out);
}

static int ack_some(struct receiver *receiver)
{
    const int error = bring_out(receiver);
    if (error)
        return error;
    receiver->refused = mq_batch_ack(receiver->queue, receiver->batch, output_buffer_written(receiver->out));
    if (!receiver->refused)
        receiver->acked = output_buffer_written(receiver->out);
    return receiver->refused;
}

/* Write all messages of the batch. 0: all were written. -EBADMSG: those before a corrupt one were. */
static int print_batch(struct receiver *receiver)
{
    mq_message *message;
    size_t printed = 0;
    int got, error = 0;
    while (!error && (got = mq_batch_next(receiver->batch, &message)) == 1) {
        receiver->is_last = printed + 1 == mq_batch_count(receiver->batch);
        error = print_message(receiver, message);
        if (error && body_error_is_of_message(error, message))
            receiver->failed = message;
        printed++;
        if (!error && receiver->wanted->ack_every && printed % receiver->wanted->ack_every == 0 &&
            printed < mq_batch_count(receiver->batch))
            error = ack_some(receiver);
    }
    if (error)
        return error;
    error = bring_out(receiver);
    return error ? error : got;
}

/* Drop a message that could not be read to its end. If a part of it was written already, end its record, so that the
   next message begins a new one. */
static int end_failed(struct receiver *receiver, bool *ret_dropped)
{
    const int framing = receiver->wanted->framing;
    *ret_dropped = output_buffer_drop_message(receiver->out);
    int error = 0;
    if (!*ret_dropped && (framing == 'l' || framing == '0'))
        error = output_buffer_add(receiver->out, framing == 'l' ? "\n" : "", 1);
    return error ? error : output_buffer_flush(receiver->out);
}

/* Ack what was written, and give the others back. By receipt all go back, since the receipt comes with the last. */
static int release_rest(struct receiver *receiver)
{
    const size_t done = receiver->wanted->auto_ack ? output_buffer_written(receiver->out) : 0;
    return mq_batch_release(receiver->queue, receiver->batch, done);
}

/* A message cannot be read, and it is itself the cause: its attempt fails, and the receiver goes on with the next one.
   If it was claimed together with others, all that were not written go back, and it is claimed alone the next time. */
static int set_aside(struct receiver *receiver, int why)
{
    bool dropped;
    mq_message *message = receiver->failed;
    int error = end_failed(receiver, &dropped);
    if (error)
        return give_back(receiver, error);
    receiver->alone = mq_batch_count(receiver->batch) > 1;
    if (receiver->alone) {
        error = release_rest(receiver);
    } else {
        (void)cli_fail(STATUS_DATA, name_of(receiver), "%s: attempt %u: cannot deliver: %s", mq_message_id(message),
                       mq_message_attempts(message), body_error_reason(why));
        error = mq_nack(receiver->queue, mq_message_receipt(message), MQ_BACK_OFF);
    }
    if (error && error != -ESTALE)
        return cli_queue_error(error, name_of(receiver), "cannot give the message back");
    return dropped || receiver->wanted->auto_ack ? STATUS_DONE : STATUS_DATA;
}

static int deliver(struct receiver *receiver)
{
    receiver->lost = receiver->refused = 0;
    receiver->acked = 0;
    receiver->failed = NULL;
    receiver->alone = false;
    output_buffer_begin(receiver->out, mq_batch_count(receiver->batch));
    int error = print_batch(receiver);
    if (receiver->failed)
        return set_aside(receiver, error);
    if (error == -ESTALE || receiver->lost)
        return cannot_ack(receiver, receiver->lost ? receiver->lost : error);
    if (error == -ECANCELED && output_buffer_written(receiver->out) == mq_batch_count(receiver->batch))
        error = 0;           /* the signal came after the last message was written */
    if (error == -EBADMSG) { /* the rest becomes a dead letter, when it is claimed without those before it */
        receiver->alone = !receiver->wanted->auto_ack;
        error = release_rest(receiver);
        return error ? cannot_ack(receiver, error) : STATUS_DONE;
    }
    if (error)
        return give_back(receiver, error);
    if (!receiver->wanted->auto_ack)
        return STATUS_DONE;
    error = mq_batch_ack(receiver->queue, receiver->batch, mq_batch_count(receiver->batch));
    return error ? cannot_ack(receiver, error) : STATUS_DONE;
}

static int nothing_came(const struct receiver *receiver, uint64_t got)
{
    if (!drain_say_paused(&receiver->wanted->drain))
        cli_note(name_of(receiver), "no message came");
    return got > 0 ? STATUS_DONE : STATUS_NOTHING;
}

/* Say once that the receiver polls. */
static void tell_if_polling(const struct receiver *receiver)
{
    static bool told;
    const mq_queue *queue = receiver->queue;
    if (!told && mq_queue_is_polling(queue))
        cli_note(mq_queue_name(queue), "polling, since inotify is not available");
    told = told || mq_queue_is_polling(queue);
}

static int receive_once(struct receiver *receiver, const struct mq_receive_options *options, uint64_t most)
{
    const int came = mq_sources_receive_batch(receiver->wanted->sources, options, most, receiver->batch);
    receiver->queue = mq_sources_queue(receiver->wanted->sources);
    return came;
}

/* Receive messages. Whether inotify is available is known only once a receive has waited, so with -v wait for a moment
   first, say it, and then wait for the rest of the time. */
static int receive(struct receiver *receiver, uint64_t most)
{
    struct mq_receive_options wanted = receiver->wanted->options;
    const int64_t wait = wanted.wait;
    const bool split = cli_verbose && (wanted.wait == MQ_FOREVER || wanted.wait > MOMENT);
    if (split) {
        wanted.wait = MOMENT;
        const int came = receive_once(receiver, &wanted, most);
        tell_if_polling(receiver);
        if (came != 0)
            return came;
        wanted.wait = wait == MQ_FOREVER ? MQ_FOREVER : wait - MOMENT;
    }
    return receive_once(receiver, &wanted, most);
}

/* How many messages to claim together. A receipt is for one message, unless all are to share it. */
static uint64_t most_at_once(const struct receiver *receiver, uint64_t got)
{
    const struct receiving *wanted = receiver->wanted;
    if ((!wanted->auto_ack && !wanted->together) || receiver->alone)
        return 1;
    if (wanted->together && wanted->most)
        return wanted->most; /* else all of the last file would have to be split */
    return wanted->most ? wanted->most - got : UINT64_MAX;
}

/* Wait in slices, and look in between. */
static int receive_and_look(struct receiver *receiver, uint64_t most)
{
    struct mq_receive_options slice = receiver->wanted->options;
    const int64_t wait = slice.wait, begun = clock_monotonic();
    int came;
    do {
        const int64_t left = begun + wait - clock_monotonic();
        slice.wait = wait == MQ_FOREVER || left > MOMENT ? MOMENT : left > 0 ? left : 0;
        came = receive_once(receiver, &slice, most);
        if (came == 0)
            receiver->ending = receiver->wanted->look(receiver->wanted->context);
    } while (came == 0 && receiver->ending == STATUS_DONE && slice.wait == MOMENT);
    return came;
}

static int receive_all(struct receiver *receiver)
{
    const struct receiving *wanted = receiver->wanted;
    int status = STATUS_DONE;
    for (uint64_t got = 0; status == STATUS_DONE && (!wanted->most || got < wanted->most);
         got += output_buffer_written(receiver->out)) {
        const uint64_t most = most_at_once(receiver, got);
        const int came = wanted->look ? receive_and_look(receiver, most) : receive(receiver, most);
        group_tell_overtaken(receiver->queue);
        if (came == 0)
            return receiver->ending != STATUS_DONE ? receiver->ending : nothing_came(receiver, got);
        if (came == -ECANCELED)
            return end(receiver);
        if (came < 0)
            return cli_queue_error(came, name_of(receiver), "cannot receive");
        status = deliver(receiver);
        drain_update(&wanted->drain, got + output_buffer_written(receiver->out), 0);
        if (status == STATUS_DONE && output_buffer_signal(receiver->out) &&
            (!wanted->most || got + output_buffer_written(receiver->out) < wanted->most))
            return end(receiver);
    }
    return status;
}

int receiving_run(const struct receiving *receiving)
{
    struct receiver receiver = {.wanted = receiving, .queue = mq_sources_queue(receiving->sources)};
    receiver.patience = (struct output_patience){
        .cancel_fd = receiving->options.cancel_fd, .milliseconds = KEEP_EVERY, .wait = keep, .context = &receiver};
    const int error = mq_batch_new(&receiver.batch);
    if (error)
        return cli_error(error, name_of(&receiver), "cannot receive");
    receiver.out = output_buffer_new(&receiver.patience);
    receiver.careful = receiving->ack_every == 1 && output_buffer_is_pipe();
    const int status = receive_all(&receiver);
    output_buffer_free(receiver.out);
    mq_batch_free(receiver.batch);
    return status;
}
