/* The command line of mq-recv. */
#include "recv/arguments.h"

#include "cli/cli.h"
#include "cli/group.h"
#include "recv/receiving.h"
#include "recv/worker_arguments.h"

/* ---- checking -------------------------------------------------------------------- */

void recv_arguments_take_queue(struct recv_arguments *arguments, const struct argp_state *state)
{
    if (!arguments->command || !arguments->command[0])
        cli_usage(state, "no queue is named");
    if (arguments->command[1])
        cli_usage(state, "no queue is named in front of --");
    arguments->queue = arguments->command[0];
    arguments->command = NULL;
}

static void check_command(const struct recv_arguments *arguments, const struct argp_state *state)
{
    if (!arguments->command[0])
        cli_usage(state, "no command is given behind --");
    if (arguments->auto_ack || cli_json || arguments->framing)
        cli_usage(state, "a command excludes --auto-ack, --json, --lines and --null");
    if (worker_until_empty() && arguments->follow)
        cli_usage(state, "--until-empty and --follow exclude one another");
}

void recv_arguments_check(const struct recv_arguments *arguments, const struct argp_state *state)
{
    if (arguments->command)
        check_command(arguments, state);
    else if (worker_is_asked_for())
        cli_usage(state, "options of a command without one: give it behind --");
    if (arguments->framing && cli_json)
        cli_usage(state, "--json excludes --lines and --null");
    if (arguments->ack_every && !arguments->auto_ack)
        cli_usage(state, "--ack-every needs --auto-ack");
    if (arguments->framing && !arguments->auto_ack)
        cli_usage(state, "--lines and --null need --auto-ack");
    if ((arguments->follow || arguments->count > 1) && !arguments->auto_ack && !cli_json && !arguments->command)
        cli_usage(state, "more than one message needs --auto-ack, --json or a command");
    if (arguments->follow && arguments->count)
        cli_usage(state, "--follow and --count exclude one another");
    if (arguments->has_from && !arguments->create)
        cli_usage(state, "--from is for a group that --create makes: mq-log seek moves one");
    if (arguments->has_from && !mq_group_name_is_valid(arguments->queue))
        cli_usage(state, "--from is for a group of a log, LOG/GROUP");
    if (arguments->wait && arguments->no_wait)
        cli_usage(state, "--wait and --no-wait exclude one another");
}

/* ---- opening --------------------------------------------------------------------- */

int recv_arguments_open(const struct recv_arguments *arguments, mq_queue **ret_queue)
{
    const bool is_group = mq_group_name_is_valid(arguments->queue);
    const int status = is_group && arguments->create ? group_create(arguments->queue, &arguments->from) : STATUS_DONE;
    if (status != STATUS_DONE)
        return status;
    return cli_open(arguments->queue, arguments->create && !is_group ? MQ_CREATE : 0, ret_queue);
}

/* ---- running --------------------------------------------------------------------- */

static int print_messages(const struct recv_arguments *arguments, mq_queue *queue)
{
    const struct receiving receiving = {
        .queue = queue,
        .options = arguments->options,
        .most = arguments->follow  ? 0
                : arguments->count ? arguments->count
                                   : 1,
        .auto_ack = arguments->auto_ack,
        .ack_every = arguments->ack_every,
        .framing = cli_json ? 'j' : arguments->framing,
    };
    return receiving_run(&receiving);
}

static int run_commands(const struct recv_arguments *arguments, mq_queue *queue)
{
    struct worker_options worker;
    worker_fill_options(&worker, arguments->command);
    worker.receive = arguments->options;
    worker.follow = arguments->follow;
    worker.count = arguments->count == 0 && !arguments->follow && !worker.until_empty ? 1 : arguments->count;
    return worker_run(queue, &worker);
}

int recv_arguments_run(const struct recv_arguments *arguments, mq_queue *queue)
{
    return arguments->command ? run_commands(arguments, queue) : print_messages(arguments, queue);
}
