/*
 * Sending to a log once (send_once.h): the draft is a file in the log's tmp/, and one rename appends it, which has one
 * winner. The slots and marks are the log's, in sent/.
 */
#ifndef MQ_LOG_ONCE_H
#define MQ_LOG_ONCE_H

#include "log/log.h"

extern const struct outlet_once log_once;

/* Before something is sent once by the handle: whether it is to be durable, and where the offsets are to be told.
   `sent` says for which message; NULL: nobody asks. What is a duplicate has none. */
void log_once_begin(mq_log *log, bool durable, uint64_t *offsets, const size_t *sent);

#endif
