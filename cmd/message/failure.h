/* What went wrong with an attempt, as a line of JSON: to be kept beside the message, and to be shown. */
#ifndef FAILURE_H
#define FAILURE_H

#include <jansson.h>
#include <mq.h>

#include "message/outcome.h"

/* Keep it; reports where that cannot be, which is no reason to treat the message otherwise. `said` is the end of the
   command's standard error. */
void failure_keep(mq_queue *queue, const mq_message *message, const struct outcome *outcome, const char *said,
                  size_t size);

/* What was kept of a message, oldest first: a new array, empty where there is nothing. A negative errno otherwise. */
int failure_load(mq_queue *queue, const char *id, json_t **ret_array);

/* How it ended, as text that a terminal may be shown; empty for NULL, or where it does not say. */
void failure_outcome(const json_t *failure, char *ret_text, size_t size);

/* Print each as a header line Mq-Failure, with what the command said in lines that begin with a tab. */
void failure_print(const json_t *failures);

#endif
