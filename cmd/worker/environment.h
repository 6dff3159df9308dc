/*
 * The environment of a command: the worker's, without MQ_ variables of an outer worker, and variables for the message.
 *
 *     environment_prepare();                       once
 *     char **variables = environment_for(queue, message, body, tx);
 */
#ifndef ENVIRONMENT_H
#define ENVIRONMENT_H

#include <mq.h>
#include <stddef.h>

/* Collect the variables that are the same for every command. */
void environment_prepare(void);

/* The variables, for execvpe; valid until the next call. `body` is the path of the file with the body, `tx` the id
   of the command's transaction; NULL: there is none. Returns NULL if memory is out. */
char **environment_for(mq_queue *queue, const mq_message *message, const char *body, const char *tx);

/* The bytes that the command line and the environment count against the system's limit, without the message's
   headers. */
size_t environment_base_size(char *const *command);

#endif
