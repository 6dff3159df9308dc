/* Settling the claims of receipts. */
#include "ack/settle.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"
#include "io/records.h"

static int settle(mq_queue *queue, const char *receipt, const struct claim_end *end)
{
    switch (end->action) {
    case CLAIM_NACK:
        return mq_nack(queue, receipt, end->delay);
    case CLAIM_REJECT:
        return mq_reject(queue, receipt, end->reason);
    case CLAIM_RELEASE:
        return mq_release(queue, receipt);
    case CLAIM_EXTEND:
        return mq_extend(queue, receipt, end->extension);
    default:
        return mq_ack(queue, receipt);
    }
}

/* The queue stays open for the next receipt, which usually is of the same queue. */
static int open_queue(const char *name, mq_queue **queue)
{
    if (*queue && strcmp(mq_queue_name(*queue), name) == 0)
        return STATUS_DONE;
    mq_close(*queue);
    *queue = NULL;
    return cli_open(name, 0, queue);
}

int settle_receipt(const char *receipt, const struct claim_end *end, mq_queue **queue)
{
    char name[MQ_QUEUE_NAME_SIZE], problem[256];
    if (mq_receipt_queue(receipt, name) != 0)
        return cli_fail(STATUS_DATA, NULL, "'%s': not a receipt", receipt);
    const int status = open_queue(name, queue);
    if (status != STATUS_DONE)
        return status;
    const int error = settle(*queue, receipt, end);
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

int settle_input(const struct claim_end *end, mq_queue **queue)
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
            status = cli_worse(status, settle_receipt(line, end, queue));
        records_let_go(&records);
    }
    if (got < 0)
        status = cli_worse(status, cli_error(got, NULL, "cannot read the receipts"));
    records_release(&records);
    return status;
}
