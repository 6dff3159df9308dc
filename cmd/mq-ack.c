/* mq-ack: say how the work on claimed messages went. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"
#include "io/records.h"

enum { NACK = 256, REJECT, RELEASE, DELAY, REASON };

static char **arg_receipts;
static int arg_receipt_count;
static int arg_action; /* an option's key; 0: ack */
static int64_t arg_delay = MQ_BACK_OFF, arg_extension;
static bool arg_has_delay;
static const char *arg_reason;

static const struct argp_option options[] = {
    {"nack", NACK, NULL, 0, "It failed: deliver the message again, after the queue's back-off", 1},
    {"delay", DELAY, "DURATION", 0, "With --nack: deliver it again after DURATION", 1},
    {"reject", REJECT, NULL, 0, "It will never work: make the message a dead letter", 1},
    {"reason", REASON, "TEXT", 0, "With --reject: why", 1},
    {"extend", 'e', "DURATION", 0, "It takes longer: let the claim end only after DURATION", 1},
    {"release", RELEASE, NULL, 0, "It was not tried: back to its place, the attempt not counted", 1},
    {0},
};

static void set_action(const struct argp_state *state, int action)
{
    if (arg_action && arg_action != action)
        cli_usage(state, "--nack, --reject, --extend and --release exclude one another");
    arg_action = action;
}

static void check(const struct argp_state *state)
{
    if (arg_has_delay && arg_action != NACK)
        cli_usage(state, "--delay is for --nack");
    if (arg_reason && arg_action != REJECT)
        cli_usage(state, "--reason is for --reject");
}

static error_t parse(int key, char *argument, struct argp_state *state)
{
    switch (key) {
    case NACK:
    case REJECT:
    case RELEASE:
        set_action(state, key);
        return 0;
    case 'e':
        set_action(state, key);
        (void)cli_delay(state, "--extend", argument);
        arg_extension = cli_period(state, "--extend", argument);
        return 0;
    case DELAY:
        arg_has_delay = true;
        arg_delay = cli_delay(state, "--delay", argument);
        return 0;
    case REASON:
        arg_reason = argument;
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
           "Without RECEIPT, or for -, they are read from standard input, one a line.",
    .children = cli_children,
};

/* ---- settling -------------------------------------------------------------------- */

static int settle(mq_queue *queue, const char *receipt)
{
    switch (arg_action) {
    case NACK:
        return mq_nack(queue, receipt, arg_delay);
    case REJECT:
        return mq_reject(queue, receipt, arg_reason);
    case RELEASE:
        return mq_release(queue, receipt);
    case 'e':
        return mq_extend(queue, receipt, arg_extension);
    default:
        return mq_ack(queue, receipt);
    }
}

/* The queue opened last stays open: receipts come from one queue as a rule. */
static int open_queue(const char *name, mq_queue **queue)
{
    if (*queue && strcmp(mq_queue_name(*queue), name) == 0)
        return STATUS_DONE;
    mq_close(*queue);
    *queue = NULL;
    return cli_open(name, 0, queue);
}

static int settle_receipt(const char *receipt, mq_queue **queue)
{
    char name[MQ_QUEUE_NAME_SIZE], problem[256];
    if (mq_receipt_queue(receipt, name) != 0)
        return cli_fail(STATUS_DATA, NULL, "'%s': not a receipt", receipt);
    const int status = open_queue(name, queue);
    if (status != STATUS_DONE)
        return status;
    const int error = settle(*queue, receipt);
    if (error == -EBADMSG && mq_config_explain(cli_spool, name, problem, sizeof problem) != 1)
        return cli_fail(STATUS_DATA, NULL, "'%s': not a receipt", receipt);
    if (error == -ESTALE)
        return cli_fail(STATUS_NOTHING, name, "the claim has ended: %s", receipt);
    if (error == -EINVAL)
        return cli_fail(STATUS_DATA, name, "not a reason of one line, or not a time to come");
    if (error)
        return cli_queue_error(error, name, "cannot settle the claim");
    cli_note(name, "settled %s", receipt);
    return STATUS_DONE;
}

static int settle_input(mq_queue **queue)
{
    struct records records = {.fd = STDIN_FILENO, .separator = '\n'};
    char *line;
    size_t size;
    int got, status = STATUS_DONE;
    while ((got = records_next(&records, RECORDS_PATIENT, &line, &size)) == 1) {
        line[size] = '\0';
        if (strlen(line) != size)
            status = cli_worse(status, cli_fail(STATUS_DATA, NULL, "'%s': not a receipt", line));
        else if (size > 0)
            status = cli_worse(status, settle_receipt(line, queue));
        records_let_go(&records);
    }
    if (got < 0)
        status = cli_worse(status, cli_error(got, NULL, "cannot read the receipts"));
    records_release(&records);
    return status;
}

int main(int argc, char **argv)
{
    mq_queue *queue = NULL;
    int status = STATUS_DONE;
    cli_parse(&argp, argc, argv);
    for (int i = 0; i < arg_receipt_count; i++)
        status = cli_worse(status, strcmp(arg_receipts[i], "-") == 0 ? settle_input(&queue)
                                                                     : settle_receipt(arg_receipts[i], &queue));
    if (arg_receipt_count == 0)
        status = settle_input(&queue);
    mq_close(queue);
    return status;
}
