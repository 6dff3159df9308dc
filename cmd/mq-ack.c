/* mq-ack: say how the work on claimed messages went. */
#include <string.h>

#include "ack/settle.h"
#include "cli/cli.h"

enum { NACK = 256, REJECT, RELEASE, DELAY, REASON };

static char **arg_receipts;
static int arg_receipt_count;
static struct claim_end arg_end = {.delay = MQ_BACK_OFF};
static bool arg_has_delay;

static const struct argp_option options[] = {
    {"nack", NACK, NULL, 0, "It failed: deliver the message again, after the queue's back-off", 1},
    {"delay", DELAY, "DURATION", 0, "With --nack: deliver it again after DURATION", 1},
    {"reject", REJECT, NULL, 0, "It will never work: make the message a dead letter", 1},
    {"reason", REASON, "TEXT", 0, "With --reject: why", 1},
    {"extend", 'e', "DURATION", 0, "It takes longer: let the claim end DURATION from now", 1},
    {"release", RELEASE, NULL, 0, "It was not tried: return it to its place; the attempt does not count", 1},
    {0},
};

static void set_action(const struct argp_state *state, enum claim_action action)
{
    if (arg_end.action != CLAIM_ACK && arg_end.action != action)
        cli_usage(state, "--nack, --reject, --extend and --release exclude one another");
    arg_end.action = action;
}

static void check(const struct argp_state *state)
{
    if (arg_has_delay && arg_end.action != CLAIM_NACK)
        cli_usage(state, "--delay is for --nack");
    if (arg_end.reason && arg_end.action != CLAIM_REJECT)
        cli_usage(state, "--reason is for --reject");
}

static error_t parse(int key, char *argument, struct argp_state *state)
{
    switch (key) {
    case NACK:
        set_action(state, CLAIM_NACK);
        return 0;
    case REJECT:
        set_action(state, CLAIM_REJECT);
        return 0;
    case RELEASE:
        set_action(state, CLAIM_RELEASE);
        return 0;
    case 'e':
        set_action(state, CLAIM_EXTEND);
        (void)cli_delay(state, "--extend", argument);
        arg_end.extension = cli_period(state, "--extend", argument);
        return 0;
    case DELAY:
        arg_has_delay = true;
        arg_end.delay = cli_delay(state, "--delay", argument);
        return 0;
    case REASON:
        arg_end.reason = argument;
        return 0;
    case ARGP_KEY_ARGS:
        arg_receipts = state->argv + state->next;
        arg_receipt_count = state->argc - state->next;
        return 0;
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
    .args_doc = "[RECEIPT...]",
    .doc = "Ack the messages of the receipts that mq-recv printed: their work is done.\v"
           "Without RECEIPT, or for -, they are read from standard input, one on each line.",
    .children = cli_children,
};

int main(int argc, char **argv)
{
    mq_queue *queue = NULL;
    int status = STATUS_DONE;
    cli_parse(&argp, argc, argv);
    for (int i = 0; i < arg_receipt_count; i++)
        status = cli_worse(status, strcmp(arg_receipts[i], "-") == 0
                                       ? settle_input(&arg_end, &queue)
                                       : settle_receipt(arg_receipts[i], &arg_end, &queue));
    if (arg_receipt_count == 0)
        status = settle_input(&arg_end, &queue);
    mq_close(queue);
    return status;
}
