/*
 * Receipts: the name of the queue, a slash, and the name of the file in flight. A receipt names one claim, and whoever
 * has the receipt can settle the claim.
 *
 *     receipt_format(queue, &name, message->receipt);
 *     …
 *     if (!receipt_parse(receipt, queue, &name))
 *         … not a receipt: -EBADMSG …
 *
 * Parsing returns false for any text that formatting cannot have made, and leaves its results untouched then. A text
 * that was cut short is not a receipt.
 */
#ifndef MQ_RECEIPT_H
#define MQ_RECEIPT_H

#include <stdbool.h>

#include "format/name.h"
#include "mq.h"

/* `name` is the name of a file in inflight/. */
bool receipt_parse(const char *receipt, char ret_queue[MQ_QUEUE_NAME_SIZE], struct message_name *ret_name);
void receipt_format(const char *queue, const struct message_name *name, char ret_receipt[MQ_RECEIPT_SIZE]);

#endif
