/* Carrying out an output of a transaction into a log. */
#ifndef MQ_LOG_DELIVERY_H
#define MQ_LOG_DELIVERY_H

#include "format/outbox_name.h"
#include "mq.h"

/* Append the output dir/file to its log, once, whichever processes are at it, and remove its name. `log` is NULL or the log
   that was appended to last, which stays open for the next; a log that is not there is made, as a queue is. 0: done.
   -EAGAIN: it has another name now. */
int log_delivery(mq_log **log, const char *spool_path, int dir, const char *file, const struct outbox_entry *entry);

#endif
