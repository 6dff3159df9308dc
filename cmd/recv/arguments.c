/* The command line of mq-recv. */
#include "recv/arguments.h"

#include <stdlib.h>
#include <string.h>

#include "base/grow.h"
#include "cli/cli.h"
#include "cli/group.h"
#include "cli/output.h"
#include "message/drain.h"
#include "message/template.h"
#include "recv/receiving.h"
#include "recv/worker_arguments.h"

void recv_arguments_add_queue(struct recv_arguments *arguments, char *queue)
{
    cli_must(GROW(arguments->queues, arguments->queue_count + 1, arguments->queue_room) ? arguments->queues : NULL);
    arguments->queues[arguments->queue_count++] = queue;
}

/* ---- checking -------------------------------------------------------------------- */

void recv_arguments_take_queue(struct recv_arguments *arguments, const struct argp_state *state)
{
    if (!arguments->command || !arguments->command[0])
        cli_usage(state, "no queue is named");
    if (arguments->command[1])
        cli_usage(state, "no queue is named in front of --");
    recv_arguments_add_queue(arguments, arguments->command[0]);
    arguments->command = NULL;
}

static void check_command(const struct recv_arguments *arguments, const struct argp_state *state)
{
    if (!arguments->command[0])
        cli_usage(state, "no command is given behind --");
    if (arguments->auto_ack || cli_json || arguments->framing || arguments->format)
        cli_usage(state, "a command excludes --auto-ack, --json, --format, --lines and --null");
    if (worker_until_empty() && arguments->follow)
        cli_usage(state, "--until-empty and --follow exclude one another");
}

static void check_queues(const struct recv_arguments *arguments, const struct argp_state *state)
{
    for (size_t i = 0; i < arguments->queue_count; i++)
        for (size_t j = 0; j < i; j++)
            if (strcmp(arguments->queues[i], arguments->queues[j]) == 0)
                cli_usage(state, "%s is named twice", arguments->queues[i]);
}

static bool names_a_group(const struct recv_arguments *arguments)
{
    for (size_t i = 0; i < arguments->queue_count; i++)
        if (mq_group_name_is_valid(arguments->queues[i]))
            return true;
    return false;
}

void recv_arguments_check(const struct recv_arguments *arguments, const struct argp_state *state)
{
    check_queues(arguments, state);
    if (arguments->command)
        check_command(arguments, state);
    else if (worker_is_asked_for())
        cli_usage(state, "options of a command without one: give it behind --");
    if (arguments->framing && cli_json)
        cli_usage(state, "--json excludes --lines and --null");
    if (arguments->ack_every && !arguments->auto_ack)
        cli_usage(state, "--ack-every needs --auto-ack");
    if (arguments->together && (!cli_json || arguments->auto_ack))
        cli_usage(state, "--together needs --json, and excludes --auto-ack and a command");
    if (arguments->framing && !arguments->auto_ack && !arguments->format)
        cli_usage(state, "--lines and --null need --auto-ack");
    if ((arguments->follow || arguments->count > 1) && !arguments->auto_ack && !cli_json && !arguments->format &&
        !arguments->command)
        cli_usage(state, "more than one message needs --auto-ack, --json, --format or a command");
    if (arguments->format && cli_json)
        cli_usage(state, "--json excludes --format");
    if (arguments->format && !arguments->auto_ack && !template_has(arguments->format, "receipt"))
        cli_usage(state, "--format without {receipt} needs --auto-ack: nobody could acknowledge the message");
    if (arguments->follow && arguments->count)
        cli_usage(state, "--follow and --count exclude one another");
    if (arguments->progress && !arguments->follow && arguments->count < 2 && !worker_until_empty())
        cli_usage(state, "--progress is for many messages: give --count, --follow or --until-empty");
    if (arguments->has_from && !arguments->create)
        cli_usage(state, "--from is for a group that --create makes: mq-log seek moves one");
    if (arguments->has_from && !names_a_group(arguments))
        cli_usage(state, "--from is for a group of a log, LOG/GROUP");
    if (arguments->wait && arguments->no_wait)
        cli_usage(state, "--wait and --no-wait exclude one another");
}

/* ---- opening --------------------------------------------------------------------- */

static int open_one(const struct recv_arguments *arguments, const char *name, mq_queue **ret_queue)
{
    const bool is_group = mq_group_name_is_valid(name);
    const int status = is_group && arguments->create ? group_create(name, &arguments->from) : STATUS_DONE;
    if (status != STATUS_DONE)
        return status;
    return cli_open(name, arguments->create && !is_group ? MQ_CREATE : 0, ret_queue);
}

int recv_arguments_open(const struct recv_arguments *arguments, mq_queue ***ret_queues)
{
    mq_queue **queues = cli_must(calloc(arguments->queue_count, sizeof(mq_queue *)));
    int status = STATUS_DONE;
    for (size_t i = 0; i < arguments->queue_count && status == STATUS_DONE; i++)
        status = open_one(arguments, arguments->queues[i], &queues[i]);
    *ret_queues = queues;
    return status;
}

/* ---- running --------------------------------------------------------------------- */

/* There is no bar where the messages themselves, or what commands print, come to the same terminal. */
static struct drain drain_for(const struct recv_arguments *arguments, mq_queue *const *queues, bool prints)
{
    const bool shown = arguments->progress && !(prints && output_is_terminal());
    return (struct drain){.progress = shown ? progress_new("done") : NULL,
                          .queues = queues,
                          .count = arguments->queue_count,
                          .most = arguments->count};
}

static int print_messages(const struct recv_arguments *arguments, mq_sources *sources, mq_queue *const *queues)
{
    const struct receiving receiving = {
        .sources = sources,
        .options = arguments->options,
        .most = arguments->follow  ? 0
                : arguments->count ? arguments->count
                                   : 1,
        .auto_ack = arguments->auto_ack,
        .together = arguments->together,
        .ack_every = arguments->ack_every,
        .framing = cli_json                                   ? 'j'
                   : arguments->format && !arguments->framing ? 'l'
                                                              : arguments->framing,
        .format = arguments->format,
        .drain = drain_for(arguments, queues, true),
    };
    const int status = receiving_run(&receiving);
    progress_end(receiving.drain.progress);
    return status;
}

static int run_commands(const struct recv_arguments *arguments, mq_sources *sources, mq_queue *const *queues)
{
    struct worker_options worker;
    worker_fill_options(&worker, arguments->command);
    worker.receive = arguments->options;
    worker.receive.owner = 0; /* the claims are of this process, which settles them */
    worker.follow = arguments->follow;
    worker.count = arguments->count == 0 && !arguments->follow && !worker.until_empty ? 1 : arguments->count;
    worker.drain = drain_for(arguments, queues, !worker.job.save && !worker.job.forms_output);
    const int status = worker_run(sources, &worker);
    progress_end(worker.drain.progress);
    return status;
}

int recv_arguments_run(const struct recv_arguments *arguments, mq_sources *sources, mq_queue *const *queues)
{
    return arguments->command ? run_commands(arguments, sources, queues) : print_messages(arguments, sources, queues);
}
