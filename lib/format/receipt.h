/*
 * Receipts: QUEUE/ and the name of the file in flight. A receipt names one claim, and whoever has it can settle it.
 *
 *     receipt_format(queue, &name, message->receipt);
 *     …
 *     if (!receipt_parse(receipt, queue, &name))
 *         … not a receipt: -EBADMSG …
 *
 * Parsing returns false for any text that formatting cannot have made, and leaves its results untouched then. A receipt
 * that was cut off is none.
 */
#ifndef MQ_RECEIPT_H
#define MQ_RECEIPT_H

#include <stdbool.h>

#include "format/name.h"
#include "mq.h"

/* `name` is that of a message in MQ_INFLIGHT. */
bool receipt_parse(const char *receipt, char ret_queue[MQ_QUEUE_NAME_SIZE], struct message_name *ret_name);
void receipt_format(const char *queue, const struct message_name *name, char ret_receipt[MQ_RECEIPT_SIZE]);

#endif
