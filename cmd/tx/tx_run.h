/* Running a command inside a transaction. */
#ifndef TX_RUN_H
#define TX_RUN_H

#include <stdint.h>

/* Run it, and commit if it exits 0, once the claims of the receipts are taken; else abort. The deadline is moved on
   while it runs. An exit status: the command's where that is not 0, as the shell has it. */
int tx_run(char *const *command, int64_t timeout, char *const *receipts, int receipt_count);

#endif
