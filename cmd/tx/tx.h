/* Transactions on the command line. Calls return an exit status, and have reported what is wrong. */
#ifndef TX_H
#define TX_H

#include <mq.h>

#define TX_VARIABLE "MQ_TX"

/* Open a transaction by its id. */
int tx_open(const char *id, mq_tx **ret_tx);

/* Begin one, after carrying out what was committed before: the caller may read a file that was to be replaced. */
int tx_begin(int64_t timeout, mq_tx **ret_tx);

/* Take the claims of receipts into it, and commit it. If a claim cannot be taken it is aborted. STATUS_NOTHING: it has
   ended, or one of the claims has; STATUS_UNSAFE: it is committed. */
int tx_conclude(mq_tx *tx, char *const *receipts, int count);

/* Report an error of a transaction. */
int tx_error(int error, const char *id, const char *what);

#endif
