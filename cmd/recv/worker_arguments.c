/* The options of mq-recv that are about commands. */
#include "recv/worker_arguments.h"

#include <string.h>

#include "base/clock.h"

#include "cli/cli.h"

/* Numbers that mq-recv.c does not use. */
enum {
    BODY_FILE = 512,
    REJECT_ON,
    TIMEOUT,
    KILL_AFTER,
    UNTIL_EMPTY,
    MAX_RATE,
    GRACE,
    REPLY,
    REPLY_ANY,
    ONCE,
    TRANSACTION,
    SAVE,
    OUTPUT
};

#define PARALLEL_MAX 4096

static bool asked;
static struct worker_options arg = {
    .job = {.timeout = JOB_NEVER, .kill_after = 10 * CLOCK_SECOND},
    .parallel = 1,
    .grace = MQ_FOREVER,
};

static const struct argp_option options[] = {
    {"parallel", 'P', "N", 0, "Run up to N commands at once", 5},
    {"until-empty", UNTIL_EMPTY, NULL, 0, "Receive until no message is ready, then end", 5},
    {"max-rate", MAX_RATE, "N/s", 0, "Start no more than N commands a second; N/m, N/h: a minute, an hour", 5},
    {"body-file", BODY_FILE, NULL, 0, "Give the body as the file $MQ_BODY, not on standard input", 5},
    {"reject-on", REJECT_ON, "LIST", 0, "Exit statuses that make a dead letter at once, such as 3,70-79", 5},
    {"timeout", TIMEOUT, "DURATION", 0, "Stop a command that runs for this long: it has failed", 6},
    {"kill-after", KILL_AFTER, "DURATION", 0, "Send SIGKILL this long after SIGTERM: 10s by default", 6},
    {"grace", GRACE, "DURATION", 0, "How long running commands get to finish after a signal; no limit by default", 6},
    {"reply", REPLY, NULL, 0, "Send what the command prints to the queue that Reply-To names", 7},
    {"reply-any", REPLY_ANY, NULL, 0, "The same, also to queues that no request has made", 7},
    {"once", ONCE, NULL, 0, "Ack a message whose id was acked before, without running the command", 7},
    {"save", SAVE, NULL, 0, "Keep what each command prints, and how it ends, for mq-queue history and output", 7},
    {"output", OUTPUT, "FORM", 0,
     "Pass on what commands print: interleave (whole lines as they come), group (one command after the other), or tag "
     "(each "
     "line behind the id and a tab)",
     7},
    {"tx", TRANSACTION, NULL, 0, "What the command sends is sent, and the message acked, as one, if it succeeds", 7},
    {0},
};

static void set_form(const struct argp_state *state, const char *text)
{
    static const struct {
        const char *name;
        enum relay_form form;
    } forms[] = {{"interleave", RELAY_LINES}, {"group", RELAY_GROUP}, {"tag", RELAY_TAGGED}};
    size_t i = 0;
    while (i < sizeof forms / sizeof *forms && strcmp(forms[i].name, text) != 0)
        i++;
    if (i == sizeof forms / sizeof *forms)
        cli_usage(state, "--output: '%s' is not one of interleave, group, tag", text);
    arg.job.forms_output = true;
    arg.job.form = forms[i].form;
}

static error_t parse_policy(int key, char *argument, struct argp_state *state)
{
    switch (key) {
    case REJECT_ON:
        if (!outcome_parse_list(&arg.policy, argument))
            cli_usage(state, "--reject-on: '%s' is not a list of exit statuses such as 3,70-79", argument);
        return 0;
    case TIMEOUT:
        arg.job.timeout = cli_period(state, "--timeout", argument);
        return 0;
    case KILL_AFTER:
        arg.job.kill_after = cli_duration(state, "--kill-after", argument);
        return 0;
    case SAVE:
        arg.job.save = true;
        return 0;
    case OUTPUT:
        set_form(state, argument);
        return 0;
    case GRACE:
        arg.grace = cli_duration(state, "--grace", argument);
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static error_t parse_work(int key, char *argument, struct argp_state *state)
{
    switch (key) {
    case 'P':
        arg.parallel = (unsigned)cli_number(state, "--parallel", argument, 1, PARALLEL_MAX);
        return 0;
    case UNTIL_EMPTY:
        arg.until_empty = true;
        return 0;
    case MAX_RATE:
        arg.interval = cli_interval(state, "--max-rate", argument);
        return 0;
    case BODY_FILE:
        arg.job.body_file = true;
        return 0;
    case REPLY:
        arg.job.reply = true;
        return 0;
    case TRANSACTION:
        arg.job.transaction = true;
        return 0;
    case REPLY_ANY:
        arg.job.reply = arg.job.reply_any = true;
        return 0;
    case ONCE:
        arg.once = true;
        return 0;
    default:
        return parse_policy(key, argument, state);
    }
}

static error_t parse(int key, char *argument, struct argp_state *state)
{
    const error_t parsed = parse_work(key, argument, state);
    asked = asked || parsed == 0;
    return parsed;
}

const struct argp worker_argp = {.options = options, .parser = parse};

bool worker_is_asked_for(void)
{
    return asked;
}

bool worker_until_empty(void)
{
    return arg.until_empty;
}

void worker_fill_options(struct worker_options *ret_options, char **command)
{
    *ret_options = arg;
    ret_options->job.command = command;
}
