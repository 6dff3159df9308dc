/* mq-recv: claim messages, waiting for them, and print them or run a command for each. */
#include <signal.h>

#include "cli/cli.h"
#include "cli/signals.h"
#include "recv/receiving.h"
#include "recv/worker_arguments.h"

enum { NO_WAIT = 256, CREATE, ACK_EVERY };

static const char *arg_queue;
static char **arg_command; /* NULL: messages are printed */
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
    if (arg_ack_every && !arg_auto_ack)
        cli_usage(state, "--ack-every needs --auto-ack");
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
        (void)cli_delay(state, "--ack-timeout", argument);
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

/* ---- the program ----------------------------------------------------------------- */

static int receive(mq_queue *queue)
{
    const struct receiving receiving = {
        .queue = queue,
        .options = arg_options,
        .most = arg_follow  ? 0
                : arg_count ? arg_count
                            : 1,
        .auto_ack = arg_auto_ack,
        .ack_every = arg_ack_every,
        .framing = cli_json ? 'j' : arg_framing,
    };
    return receiving_run(&receiving);
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
    /* A receipt that is printed belongs to the script that reads it; we are gone by then. */
    arg_options.owner = arg_auto_ack ? 0 : getppid();
    cli_advice = "--create makes it";
    int status = cli_open(arg_queue, arg_create ? MQ_CREATE : 0, &queue);
    if (status != STATUS_DONE)
        return status;
    status = arg_command ? run_commands(queue) : receive(queue);
    mq_close(queue);
    return status;
}
