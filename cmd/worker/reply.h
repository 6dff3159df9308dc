/* Replies to requests: messages to the queue that Reply-To names, with the request's Correlation-Id. */
#ifndef ANSWER_H
#define ANSWER_H

#include <mq.h>
#include <stdbool.h>
#include <stddef.h>

#include "message/outcome.h"
#include "worker/job.h"

/* Whether a reply can be sent, should one be asked for: only to a queue that a request made for it, unless the options say
   otherwise. Whoever may send could have us write into any queue that is ours. */
bool answer_is_possible(const mq_message *request, const struct job_options *options);

/* Reply with what is in `file`, or that the request failed and what the command said of it. 0: sent, or nobody asks
   for it, or the one who did has gone, which is told with -v. A reply may be part of a transaction, which may be NULL. */
int reply_send(const mq_message *request, int file, mq_tx *tx);
int reply_send_failure(const mq_message *request, const struct outcome *outcome, const char *said, size_t size);

#endif
