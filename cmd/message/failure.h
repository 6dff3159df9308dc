/* Records of failed attempts: each is a line of JSON, kept beside the message. */
#ifndef FAILURE_H
#define FAILURE_H

#include <jansson.h>
#include <mq.h>

#include "message/outcome.h"

/* Keep the record of an attempt. `said` is the end of the command's standard error. An error is reported, and changes
   nothing for the message. */
void failure_keep(mq_queue *queue, const mq_message *message, const struct outcome *outcome, const char *said,
                  size_t size);

/* The records of a message, oldest first, as a new array, which may be empty. 0 or a negative errno. */
int failure_load(mq_queue *queue, const char *id, json_t **ret_array);

/* How the attempt ended, escaped for a terminal; empty for NULL, or if the record does not tell. */
void failure_outcome(const json_t *failure, char *ret_text, size_t size);

/* Print each as a header line Mq-Failure, and the standard error of the command in lines that begin with a tab. */
void failure_print(const json_t *failures);

#endif
