/* mq-recv: claim messages, waiting for them, and print them or run a command for each. */
#include <signal.h>
#include <stdlib.h>

#include "cli/cli.h"
#include "cli/signals.h"
#include "message/template.h"
#include "recv/arguments.h"
#include "recv/sources.h"
#include "recv/worker_arguments.h"

enum { NO_WAIT = 256, CREATE, ACK_EVERY, FAIR, FROM, FORMAT, PROGRESS, TOGETHER };

static struct recv_arguments arg = {.options = {MQ_RECEIVE_DEFAULTS}};

static const struct argp_option options[] = {
    {"auto-ack", 'a', NULL, 0, "Print the body alone, and ack the message once it is written", 1},
    {"count", 'n', "N", 0, "Receive up to N messages", 1},
    {"follow", 'f', NULL, 0, "Receive until SIGINT or SIGTERM", 1},
    {"lines", 'l', NULL, 0, "End each body with a newline", 2},
    {"null", '0', NULL, 0, "End each body with a NUL", 2},
    {"format", FORMAT, "TEMPLATE", 0,
     "Print a line by a template, such as '{id} {header.Type} {body}'; with --null a record that ends with a NUL", 2},
    {"progress", PROGRESS, NULL, 0, "Show on the terminal how many messages are done, the rate and the time left", 2},
    {"wait", 'w', "DURATION", 0, "Wait this long for each message, not for ever", 3},
    {"no-wait", NO_WAIT, NULL, 0, "Do not wait", 3},
    {"ack-timeout", 't', "DURATION", 0, "Claim for this long, instead of the queue's ack-timeout", 3},
    {"ack-every", ACK_EVERY, "N", 0, "With --auto-ack: ack after every N messages, not all that were sent together", 3},
    {"together", TOGETHER, NULL, 0,
     "With --json: claim messages that were sent together as one; the last has the receipt, which is for all", 3},
    {"fair", FAIR, NULL, 0, "Take from the queues in turn, not from the first that has a message", 3},
    {"create", CREATE, NULL, 0, "Make the queues, and the groups LOG/GROUP, that are missing", 3},
    {"from", FROM, "WHERE", 0,
     "With --create: a group that is made begins at WHERE: beginning (the default), end, an offset, -N, a TIME, or an "
     "age",
     3},
    {0},
};

static void set_framing(const struct argp_state *state, int framing)
{
    if (arg.framing && arg.framing != framing)
        cli_usage(state, "--lines and --null exclude one another");
    arg.framing = framing;
}

static error_t parse(int key, char *argument, struct argp_state *state)
{
    switch (key) {
    case 'a':
        arg.auto_ack = true;
        return 0;
    case 'n':
        arg.count = cli_number(state, "--count", argument, 1, UINT64_MAX);
        return 0;
    case 'f':
        arg.follow = true;
        return 0;
    case 'l':
    case '0':
        set_framing(state, key);
        return 0;
    case 'w':
        arg.wait = true;
        arg.options.wait = cli_duration(state, "--wait", argument);
        return 0;
    case NO_WAIT:
        arg.no_wait = true;
        arg.options.wait = 0;
        return 0;
    case 't':
        (void)cli_delay(state, "--ack-timeout", argument);
        arg.options.ack_timeout = cli_period(state, "--ack-timeout", argument);
        return 0;
    case ACK_EVERY:
        arg.ack_every = cli_number(state, "--ack-every", argument, 1, UINT64_MAX);
        return 0;
    case TOGETHER:
        arg.together = true;
        return 0;
    case FORMAT:
        arg.format = template_of_option(state, argument);
        return 0;
    case PROGRESS:
        arg.progress = true;
        return 0;
    case FAIR:
        arg.fair = true;
        return 0;
    case CREATE:
        arg.create = true;
        return 0;
    case FROM:
        where_take(state, "--from", argument, &arg.from);
        arg.has_from = true;
        return 0;
    case ARGP_KEY_ARG:
        recv_arguments_add_queue(&arg, argument);
        return 0;
    case ARGP_KEY_NO_ARGS:
        recv_arguments_take_queue(&arg, state);
        return 0;
    case ARGP_KEY_END:
        recv_arguments_check(&arg, state);
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
    .args_doc = "QUEUE...\nQUEUE... -- COMMAND [ARG...]",
    .doc = "Claim the next message of the first QUEUE that has any, waiting for it, and print its receipt on the "
           "first line and then its body; or run COMMAND with the body on its standard input, and ack the message if "
           "it succeeds.\v"
           "The receipt is for mq-ack. What is not acked in time is delivered again.",
    .children = children,
};

int main(int argc, char **argv)
{
    mq_queue **queues;
    arg.command = cli_cut_command(&argc, argv);
    cli_parse(&argp, argc, argv);
    signal(SIGPIPE, SIG_IGN);
    arg.options.cancel_fd = signals_open();
    if (arg.options.cancel_fd < 0)
        return cli_error(arg.options.cancel_fd, NULL, "cannot watch for signals");
    /* A receipt that is printed belongs to the script that reads it: this process ends before. */
    arg.options.owner = arg.auto_ack ? 0 : getppid();
    cli_advice = "--create makes it";
    int status = recv_arguments_open(&arg, &queues);
    if (status == STATUS_DONE) {
        mq_sources *sources = sources_of(queues, arg.queue_count, arg.fair ? MQ_FAIR : 0);
        status = recv_arguments_run(&arg, sources, queues);
        mq_sources_free(sources);
    }
    sources_close(queues, arg.queue_count);
    free(arg.queues);
    return status;
}
