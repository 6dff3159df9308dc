/*
 * The environment of a command: ours, without what we were told ourselves, and what the message says of itself.
 *
 *     environment_prepare();                       once
 *     char **variables = environment_of(queue, message, body);
 */
#ifndef ENVIRONMENT_H
#define ENVIRONMENT_H

#include <mq.h>
#include <stddef.h>

/* Take over what is the same for every command. */
void environment_prepare(void);

/* The variables, for execvpe; valid until the next call. `body` is the file that holds the body, or NULL; `tx` the
   transaction that the command is part of, or NULL.
   NULL: out of memory. */
char **environment_of(mq_queue *queue, const mq_message *message, const char *body, const char *tx);

/* Bytes that a command line and the environment take of what the system allows, the message's headers left out. */
size_t environment_base_size(char *const *command);

#endif
