/* Transactions on the command line. */
#include "tx/tx.h"

#include <errno.h>

#include "cli/cli.h"

int tx_error(int error, const char *id, const char *what)
{
    if (error == -ESTALE)
        return cli_fail(STATUS_NOTHING, id, "%s: the transaction has ended", what);
    return cli_error(error, id, error == -EINPROGRESS ? "committed" : what);
}

int tx_open(const char *id, mq_tx **ret_tx)
{
    const int error = mq_tx_open(cli_spool, id, ret_tx);
    switch (error) {
    case 0:
        return STATUS_DONE;
    case -EINVAL:
        return cli_fail(STATUS_USAGE, NULL, "'%s': not a transaction", id);
    case -ENOENT:
        return cli_fail(STATUS_NO_QUEUE, id, "no such transaction");
    default:
        return tx_error(error, id, "cannot open the transaction");
    }
}

int tx_begin(int64_t timeout, mq_tx **ret_tx)
{
    int error = mq_tx_finish(cli_spool);
    if (error)
        return cli_error(error, NULL, "cannot carry out what was committed before");
    error = mq_tx_begin(cli_spool, timeout, ret_tx);
    return error ? cli_error(error, NULL, "cannot begin a transaction") : STATUS_DONE;
}

static int take(mq_tx *tx, const char *receipt)
{
    char name[MQ_QUEUE_NAME_SIZE];
    mq_queue *queue;
    if (mq_receipt_queue(receipt, name) != 0)
        return cli_fail(STATUS_DATA, NULL, "'%s': not a receipt", receipt);
    const int status = cli_open(name, 0, &queue);
    if (status != STATUS_DONE)
        return status;
    const int error = mq_tx_take(tx, queue, receipt, 0);
    mq_close(queue);
    if (error == -ESTALE)
        return cli_fail(STATUS_NOTHING, name, "the claim or the transaction has ended: %s", receipt);
    return error ? cli_queue_error(error, name, "cannot take the claim") : STATUS_DONE;
}

int tx_conclude(mq_tx *tx, char *const *receipts, int count)
{
    for (int i = 0; i < count; i++) {
        const int status = take(tx, receipts[i]);
        if (status != STATUS_DONE) {
            (void)mq_tx_abort(tx); /* if this fails, the deadline undoes it */
            return status;
        }
    }
    const int error = mq_tx_commit(tx);
    return error ? tx_error(error, mq_tx_id(tx), "cannot commit") : STATUS_DONE;
}
