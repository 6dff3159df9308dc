/* mq-recv: claim messages, waiting for them, and print them. */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "json_write.h"
#include "outflow.h"
#include "signals.h"

#define MOMENT INT64_C(20000)
#define KEEP_EVERY 50 /* milliseconds between looks at the claim, while nobody reads the output */

enum { NO_WAIT = 256, CREATE, ACK_EVERY };

static const char *arg_queue;
static bool arg_auto_ack, arg_follow, arg_no_wait, arg_wait, arg_create;
static uint64_t arg_count;     /* 0: not given, which means 1 */
static uint64_t arg_ack_every; /* 0: not given, which means all that was sent together */
static int arg_framing;        /* 'l' or '0': how bodies end */
static struct mq_receive_options arg_options = {MQ_RECEIVE_DEFAULTS};

static const struct argp_option options[] = {
    {"auto-ack", 'a', NULL, 0, "Print the body alone, and ack the message once it is written", 1},
    {"count", 'n', "N", 0, "Receive up to N messages", 1},
    {"follow", 'f', NULL, 0, "Receive until SIGINT or SIGTERM", 1},
    {"lines", 'l', NULL, 0, "End each body with a newline", 2},
    {"null", '0', NULL, 0, "End each body with a NUL", 2},
    {"wait", 'w', "DURATION", 0, "Wait so long for each message, not for ever", 3},
    {"no-wait", NO_WAIT, NULL, 0, "Do not wait", 3},
    {"ack-timeout", 't', "DURATION", 0, "Claim for so long, instead of the queue's ack-timeout", 3},
    {"ack-every", ACK_EVERY, "N", 0, "With --auto-ack: ack after every N messages, not all that were sent together", 3},
    {"create", CREATE, NULL, 0, "Make the queue if it is not there", 3},
    {0},
};

static void set_framing(const struct argp_state *state, int framing)
{
    if (arg_framing && arg_framing != framing)
        cli_usage(state, "--lines and --null exclude one another");
    arg_framing = framing;
}

static void check(const struct argp_state *state)
{
    if (arg_framing && cli_json)
        cli_usage(state, "--json excludes --lines and --null");
    if (arg_ack_every && !arg_auto_ack)
        cli_usage(state, "--ack-every needs --auto-ack");
    if (arg_framing && !arg_auto_ack)
        cli_usage(state, "--lines and --null need --auto-ack");
    if ((arg_follow || arg_count > 1) && !arg_auto_ack && !cli_json)
        cli_usage(state, "more than one message needs --auto-ack or --json");
    if (arg_follow && arg_count)
        cli_usage(state, "--follow and --count exclude one another");
    if (arg_wait && arg_no_wait)
        cli_usage(state, "--wait and --no-wait exclude one another");
}

static error_t parse(int key, char *argument, struct argp_state *state)
{
    switch (key) {
    case 'a':
        arg_auto_ack = true;
        return 0;
    case 'n':
        arg_count = cli_number(state, "--count", argument, 1, UINT64_MAX);
        return 0;
    case 'f':
        arg_follow = true;
        return 0;
    case 'l':
    case '0':
        set_framing(state, key);
        return 0;
    case 'w':
        arg_wait = true;
        arg_options.wait = cli_duration(state, "--wait", argument);
        return 0;
    case NO_WAIT:
        arg_no_wait = true;
        arg_options.wait = 0;
        return 0;
    case 't':
        arg_options.ack_timeout = cli_period(state, "--ack-timeout", argument);
        return 0;
    case ACK_EVERY:
        arg_ack_every = cli_number(state, "--ack-every", argument, 1, UINT64_MAX);
        return 0;
    case CREATE:
        arg_create = true;
        return 0;
    case ARGP_KEY_ARG:
        if (state->arg_num > 0)
            cli_usage(state, "too many arguments");
        arg_queue = argument;
        return 0;
    case ARGP_KEY_NO_ARGS:
        cli_usage(state, "no queue is named");
    case ARGP_KEY_END:
        check(state);
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp argp = {
    .options = options,
    .parser = parse,
    .args_doc = "QUEUE",
    .doc = "Claim the next message of QUEUE, waiting for it, and print its receipt on the first line and then its "
           "body.\vThe receipt is for mq-ack. What is not acked in time is delivered again.",
    .children = cli_json_children,
};

/* ---- printing -------------------------------------------------------------------- */

static int print_body(mq_message *message, struct outflow *out)
{
    uint64_t left = mq_message_size(message);
    int error = 0;
    while (left > 0 && !error) {
        size_t size;
        char *room = outflow_room(out, &size);
        const ssize_t got = mq_message_read(message, room, size);
        if (got <= 0)
            return got < 0 ? (int)got : -EIO;
        left -= (uint64_t)got;
        error = outflow_added(out, (size_t)got);
    }
    return error;
}

/* The receipt, the body and its end. 0 or a negative errno. */
static int print_plain(mq_message *message, struct outflow *out)
{
    int error = 0;
    if (!arg_auto_ack) {
        const char *receipt = mq_message_receipt(message);
        error = outflow_add(out, receipt, strlen(receipt));
        if (!error)
            error = outflow_add(out, "\n", 1);
    }
    if (!error)
        error = print_body(message, out);
    if (!error && arg_framing)
        error = outflow_add(out, arg_framing == 'l' ? "\n" : "", 1);
    return error;
}

static int print_json(mq_message *message, struct outflow *out)
{
    json_t *object;
    int error = json_from_message(message, arg_queue, arg_auto_ack ? NULL : mq_message_receipt(message), &object);
    if (error)
        return error;
    char *line = json_line(object);
    json_decref(object);
    if (!line)
        return -ENOMEM;
    error = outflow_add(out, line, strlen(line));
    free(line);
    return error;
}

static int print_message(mq_message *message, struct outflow *out)
{
    cli_note(arg_queue, "received %s, attempt %u", mq_message_id(message), mq_message_attempts(message));
    const int error = cli_json ? print_json(message, out) : print_plain(message, out);
    if (!error)
        outflow_end_message(out);
    return error;
}

/* ---- settling -------------------------------------------------------------------- */

struct receiver {
    mq_queue *queue;
    mq_batch *batch;
    struct outflow *out;
    struct output_patience patience;
    int lost; /* what keeping the claim came to while nobody read */
};

static void keep(void *context)
{
    struct receiver *receiver = context;
    const int error = mq_batch_keep(receiver->queue, receiver->batch);
    if (error)
        receiver->lost = error;
}

/* A signal came: with --follow that is the end asked for. */
static int end(const struct receiver *receiver)
{
    if (!arg_follow)
        signals_obey(receiver->patience.cancel_fd);
    return STATUS_DONE;
}

static int cannot_ack(int error)
{
    if (error == -ESTALE)
        return cli_fail(STATUS_NOTHING, arg_queue,
                        "cannot ack: the claim ended while the output was written, and it will be delivered again");
    return cli_queue_error(error, arg_queue, "cannot ack");
}

/* Not everything could be delivered: nobody is to blame for it, least of all the messages. What is out is acked. */
static int give_back(struct receiver *receiver, int why)
{
    const size_t done = arg_auto_ack ? outflow_written(receiver->out) : 0;
    const int error = mq_batch_release(receiver->queue, receiver->batch, done);
    if (error)
        (void)cli_queue_error(error, arg_queue, "cannot give the messages back");
    if (why == -ECANCELED)
        return end(receiver);
    const int status = why == -ENOMEM ? STATUS_TRY_LATER : STATUS_IO;
    return cli_fail(status, arg_queue, "cannot deliver: %s", cli_reason(why));
}

/* ---- receiving ------------------------------------------------------------------- */

static int ack_some(struct receiver *receiver)
{
    const int error = outflow_flush(receiver->out);
    return error ? error : mq_batch_ack(receiver->queue, receiver->batch, outflow_written(receiver->out));
}

/* All messages of the batch, to the output. 0 they are out; -EBADMSG those before a corrupt one are. */
static int print_batch(struct receiver *receiver)
{
    mq_message *message;
    size_t printed = 0;
    int got, error = 0;
    while (!error && (got = mq_batch_next(receiver->batch, &message)) == 1) {
        error = print_message(message, receiver->out);
        printed++;
        if (!error && arg_ack_every && printed % arg_ack_every == 0 && printed < mq_batch_count(receiver->batch))
            error = ack_some(receiver);
    }
    if (error)
        return error;
    error = outflow_flush(receiver->out);
    return error ? error : got;
}

static int deliver(struct receiver *receiver)
{
    receiver->lost = 0;
    outflow_begin(receiver->out, mq_batch_count(receiver->batch));
    int error = print_batch(receiver);
    if (error == -ESTALE || receiver->lost)
        return cannot_ack(receiver->lost ? receiver->lost : error);
    if (error == -EBADMSG) { /* the rest becomes a dead letter */
        error = mq_batch_release(receiver->queue, receiver->batch, outflow_written(receiver->out));
        return error ? cannot_ack(error) : STATUS_DONE;
    }
    if (error)
        return give_back(receiver, error);
    if (!arg_auto_ack)
        return STATUS_DONE;
    error = mq_batch_ack(receiver->queue, receiver->batch, mq_batch_count(receiver->batch));
    return error ? cannot_ack(error) : STATUS_DONE;
}

static int nothing_came(uint64_t got)
{
    cli_note(arg_queue, "no message came");
    return got > 0 ? STATUS_DONE : STATUS_NOTHING;
}

/* Said once, however long we follow. */
static void tell_if_polling(const mq_queue *queue)
{
    static bool told;
    if (!told && mq_queue_is_polling(queue))
        cli_note(arg_queue, "looking again and again, since inotify is not to be had");
    told = told || mq_queue_is_polling(queue);
}

/* Whether inotify is to be had shows once a receive has begun to wait: first for a moment, then for the rest. */
static int receive(struct receiver *receiver, uint64_t most)
{
    struct mq_receive_options wanted = arg_options;
    const bool split = cli_verbose && (wanted.wait == MQ_FOREVER || wanted.wait > MOMENT);
    if (split) {
        wanted.wait = MOMENT;
        const int came = mq_receive_batch(receiver->queue, &wanted, most, receiver->batch);
        tell_if_polling(receiver->queue);
        if (came != 0)
            return came;
        wanted.wait = arg_options.wait == MQ_FOREVER ? MQ_FOREVER : arg_options.wait - MOMENT;
    }
    return mq_receive_batch(receiver->queue, &wanted, most, receiver->batch);
}

/* A receipt is for one message. */
static uint64_t most_at_once(uint64_t got)
{
    if (!arg_auto_ack)
        return 1;
    return arg_follow ? UINT64_MAX : (arg_count ? arg_count : 1) - got;
}

static int receive_all(struct receiver *receiver)
{
    const uint64_t most = arg_follow ? UINT64_MAX : arg_count ? arg_count : 1;
    int status = STATUS_DONE;
    for (uint64_t got = 0; status == STATUS_DONE && got < most; got += mq_batch_count(receiver->batch)) {
        const int came = receive(receiver, most_at_once(got));
        if (came == 0)
            return nothing_came(got);
        if (came == -ECANCELED)
            return end(receiver);
        if (came < 0)
            return cli_queue_error(came, arg_queue, "cannot receive");
        status = deliver(receiver);
    }
    return status;
}

static int run(mq_queue *queue, int cancel_fd)
{
    struct receiver receiver = {.queue = queue};
    receiver.patience = (struct output_patience){
        .cancel_fd = cancel_fd, .milliseconds = KEEP_EVERY, .wait = keep, .context = &receiver};
    const int error = mq_batch_new(&receiver.batch);
    if (error)
        return cli_error(error, arg_queue, "cannot receive");
    receiver.out = outflow_new(&receiver.patience);
    const int status = receive_all(&receiver);
    outflow_free(receiver.out);
    mq_batch_free(receiver.batch);
    return status;
}

int main(int argc, char **argv)
{
    mq_queue *queue;
    cli_parse(&argp, argc, argv);
    signal(SIGPIPE, SIG_IGN);
    arg_options.cancel_fd = signals_open();
    if (arg_options.cancel_fd < 0)
        return cli_error(arg_options.cancel_fd, NULL, "cannot watch for signals");
    int status = cli_open(arg_queue, arg_create ? MQ_CREATE : 0, &queue);
    if (status != STATUS_DONE)
        return status;
    status = run(queue, arg_options.cancel_fd);
    mq_close(queue);
    return status;
}
