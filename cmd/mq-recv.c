/* mq-recv: claim messages, waiting for them, and print them or run a command for each. */
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"
#include "json_write.h"
#include "output.h"
#include "signals.h"
#include "worker_line.h"

#define CHUNK 65536
#define MOMENT INT64_C(20000)

enum { NO_WAIT = 256, CREATE };

static const char *arg_queue;
static char **arg_command; /* NULL: messages are printed */
static bool arg_auto_ack, arg_follow, arg_no_wait, arg_wait, arg_create;
static uint64_t arg_count; /* 0: not given, which means 1 */
static int arg_framing;    /* 'l' or '0': how bodies end */
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
    {"create", CREATE, NULL, 0, "Make the queue if it is not there", 3},
    {0},
};

static void set_framing(const struct argp_state *state, int framing)
{
    if (arg_framing && arg_framing != framing)
        cli_usage(state, "--lines and --null exclude one another");
    arg_framing = framing;
}

/* What is behind `--` is the command; or, as everywhere, the queue, where none is in front of it. */
static void take_queue_behind(const struct argp_state *state)
{
    if (!arg_command || !arg_command[0])
        cli_usage(state, "no queue is named");
    if (arg_command[1])
        cli_usage(state, "no queue is named in front of --");
    arg_queue = arg_command[0];
    arg_command = NULL;
}

static void check_command(const struct argp_state *state)
{
    if (!arg_command[0])
        cli_usage(state, "no command is given behind --");
    if (arg_auto_ack || cli_json || arg_framing)
        cli_usage(state, "a command excludes --auto-ack, --json, --lines and --null");
    if (worker_until_empty() && arg_follow)
        cli_usage(state, "--until-empty and --follow exclude one another");
}

static void check(const struct argp_state *state)
{
    if (arg_command)
        check_command(state);
    else if (worker_is_asked_for())
        cli_usage(state, "options of a command without one: give it behind --");
    if (arg_framing && cli_json)
        cli_usage(state, "--json excludes --lines and --null");
    if (arg_framing && !arg_auto_ack)
        cli_usage(state, "--lines and --null need --auto-ack");
    if ((arg_follow || arg_count > 1) && !arg_auto_ack && !cli_json && !arg_command)
        cli_usage(state, "more than one message needs --auto-ack, --json or a command");
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
    case CREATE:
        arg_create = true;
        return 0;
    case ARGP_KEY_ARG:
        if (state->arg_num > 0)
            cli_usage(state, "too many arguments");
        arg_queue = argument;
        return 0;
    case ARGP_KEY_NO_ARGS:
        take_queue_behind(state);
        return 0;
    case ARGP_KEY_END:
        check(state);
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp common_argp = {.children = cli_json_children};
static const struct argp_child children[] = {{&worker_argp, 0, NULL, 0}, {&common_argp, 0, NULL, 0}, {0}};
static const struct argp argp = {
    .options = options,
    .parser = parse,
    .args_doc = "QUEUE\nQUEUE -- COMMAND [ARG...]",
    .doc = "Claim the next message of QUEUE, waiting for it, and print its receipt on the first line and then its "
           "body; or run COMMAND with the body on its standard input, and ack the message if it succeeds.\v"
           "The receipt is for mq-ack. What is not acked in time is delivered again.",
    .children = children,
};

/* ---- printing -------------------------------------------------------------------- */

/* The receipt, the body and its end, in as few writes as can be. 0 or a negative errno. */
static int print_plain(mq_message *message, int cancel)
{
    char buffer[CHUNK];
    size_t used = arg_auto_ack ? 0 : (size_t)sprintf(buffer, "%s\n", mq_message_receipt(message));
    uint64_t left = mq_message_size(message);
    int error;
    do {
        if (left > 0) {
            const ssize_t got = mq_message_read(message, buffer + used, sizeof buffer - used - 1);
            if (got <= 0)
                return got < 0 ? (int)got : -EIO;
            used += (size_t)got;
            left -= (uint64_t)got;
        }
        if (left == 0 && arg_framing)
            buffer[used++] = arg_framing == 'l' ? '\n' : '\0';
        error = output_write(buffer, used, cancel);
        used = 0;
    } while (!error && left > 0);
    return error;
}

static int print_json(mq_message *message, int cancel)
{
    json_t *object;
    int error = json_from_message(message, arg_queue, arg_auto_ack ? NULL : mq_message_receipt(message), &object);
    if (error)
        return error;
    char *line = json_line(object);
    json_decref(object);
    if (!line)
        return -ENOMEM;
    error = output_write(line, strlen(line), cancel);
    free(line);
    return error;
}

/* ---- receiving ------------------------------------------------------------------- */

/* A signal came: with --follow that is the end asked for. */
static int end(int cancel)
{
    if (!arg_follow)
        signals_obey(cancel);
    return STATUS_DONE;
}

/* The message could not be delivered: nobody is to blame for it, least of all the message. */
static int give_back(mq_queue *queue, const mq_message *message, int why, int cancel)
{
    const int error = mq_release(queue, mq_message_receipt(message));
    if (error)
        (void)cli_queue_error(error, arg_queue, "cannot give the message back");
    if (why == -ECANCELED)
        return end(cancel);
    const int status = why == -ENOMEM ? STATUS_TRY_LATER : STATUS_IO;
    return cli_fail(status, arg_queue, "cannot deliver %s: %s", mq_message_id(message), cli_reason(why));
}

static int settle(mq_queue *queue, const mq_message *message)
{
    const int error = mq_ack(queue, mq_message_receipt(message));
    if (error == -ESTALE)
        return cli_fail(STATUS_NOTHING, arg_queue,
                        "cannot ack %s: its claim ended while it was written, and it will be delivered again",
                        mq_message_id(message));
    return error ? cli_queue_error(error, arg_queue, "cannot ack") : STATUS_DONE;
}

static int deliver(mq_queue *queue, mq_message *message, int cancel)
{
    cli_note(arg_queue, "received %s, attempt %u", mq_message_id(message), mq_message_attempts(message));
    const int error = cli_json ? print_json(message, cancel) : print_plain(message, cancel);
    if (error)
        return give_back(queue, message, error, cancel);
    return arg_auto_ack ? settle(queue, message) : STATUS_DONE;
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
static int receive(mq_queue *queue, mq_message **ret_message)
{
    struct mq_receive_options wanted = arg_options;
    const bool split = cli_verbose && (wanted.wait == MQ_FOREVER || wanted.wait > MOMENT);
    if (split) {
        wanted.wait = MOMENT;
        const int came = mq_receive(queue, &wanted, ret_message);
        tell_if_polling(queue);
        if (came != 0)
            return came;
        wanted.wait = arg_options.wait == MQ_FOREVER ? MQ_FOREVER : arg_options.wait - MOMENT;
    }
    return mq_receive(queue, &wanted, ret_message);
}

static int receive_all(mq_queue *queue, int cancel)
{
    const uint64_t most = arg_count ? arg_count : 1;
    int status = STATUS_DONE;
    for (uint64_t got = 0; status == STATUS_DONE && (arg_follow || got < most); got++) {
        mq_message *message;
        const int came = receive(queue, &message);
        if (came == 0)
            return nothing_came(got);
        if (came == -ECANCELED)
            return end(cancel);
        if (came < 0)
            return cli_queue_error(came, arg_queue, "cannot receive");
        status = deliver(queue, message, cancel);
        mq_message_free(message);
    }
    return status;
}

/* ---- running commands ------------------------------------------------------------ */

static int run_commands(mq_queue *queue)
{
    struct worker_options worker;
    worker_fill_options(&worker, arg_command);
    worker.receive = arg_options;
    worker.follow = arg_follow;
    worker.count = arg_count == 0 && !arg_follow && !worker.until_empty ? 1 : arg_count;
    return worker_run(queue, &worker);
}

int main(int argc, char **argv)
{
    mq_queue *queue;
    arg_command = worker_cut_command(&argc, argv);
    cli_parse(&argp, argc, argv);
    signal(SIGPIPE, SIG_IGN);
    arg_options.cancel_fd = signals_open();
    if (arg_options.cancel_fd < 0)
        return cli_error(arg_options.cancel_fd, NULL, "cannot watch for signals");
    int status = cli_open(arg_queue, arg_create ? MQ_CREATE : 0, &queue);
    if (status != STATUS_DONE)
        return status;
    status = arg_command ? run_commands(queue) : receive_all(queue, arg_options.cancel_fd);
    mq_close(queue);
    return status;
}
