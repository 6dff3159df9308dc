/* Replies to requests: messages to the queue that Reply-To names, with the request's Correlation-Id. */
#ifndef REPLY_H
#define REPLY_H

#include <mq.h>
#include <stdbool.h>
#include <stddef.h>

#include "message/outcome.h"
#include "worker/job.h"

/* Whether a reply to this request may be sent, or none is asked for. Unless the options say otherwise, replies go only
   to reply queues: else a sender could have the worker write into any queue that the worker's user may write to. */
bool reply_is_allowed(const mq_message *request, const struct job_options *options);

/* Reply with the content of `file`, or with a failure and the end of the command's standard error. 0: the reply was
   sent, or none was asked for, or its queue is gone, which a note tells. The reply is part of the transaction `tx`, which
   may be NULL. */
int reply_send(const mq_message *request, int file, mq_tx *tx);
int reply_send_failure(const mq_message *request, const struct outcome *outcome, const char *said, size_t size);

#endif
