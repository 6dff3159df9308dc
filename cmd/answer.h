/* Replies to requests: messages to the queue that Reply-To names, with the request's Correlation-Id. */
#ifndef ANSWER_H
#define ANSWER_H

#include <mq.h>
#include <stddef.h>

#include "outcome.h"

/* Reply with what is in `file`, or that the request failed and what the command said of it. 0: sent, or nobody asks
   for it, or the one who did has gone, which is told with -v. A reply may be part of a transaction, which may be NULL. */
int answer_send(const mq_message *request, int file, mq_tx *tx);
int answer_failure(const mq_message *request, const struct outcome *outcome, const char *said, size_t size);

#endif
