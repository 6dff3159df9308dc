/* Transactions on the command line. Calls return an exit status, and have reported what is wrong. */
#ifndef TX_H
#define TX_H

#include <mq.h>

#define TX_VARIABLE "MQ_TX"

/* Open a transaction by its id. */
int tx_open(const char *id, mq_tx **ret_tx);

/* Begin one, once what was committed before is carried out: whoever begins may read a file that it replaces. */
int tx_begin(int64_t timeout, mq_tx **ret_tx);

/* Take the claims of receipts into it. STATUS_NOTHING: one of them has ended. */
int tx_take(mq_tx *tx, char *const *receipts, int count);

int tx_commit(mq_tx *tx);

/* Report an error of a transaction. */
int tx_error(int error, const char *id, const char *what);

#endif
