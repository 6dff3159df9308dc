/*
 * What the command line of mq-recv says of running commands: an argp child that takes the options, and what it made of
 * them.
 */
#ifndef WORKER_LINE_H
#define WORKER_LINE_H

#include <argp.h>
#include <mq.h>
#include <stdbool.h>

#include "worker/worker.h"

extern const struct argp worker_argp;

/* Cut the arguments at the first `--`: what is behind it, or NULL where there is none. */
char **worker_cut_command(int *argc, char **argv);

/* Whether any of the options was given, which need a command. */
bool worker_is_asked_for(void);

/* Whether the worker ends once the queue is empty. */
bool worker_until_empty(void);

/* The options, complete but for what mq-recv itself was told. */
void worker_fill_options(struct worker_options *ret_options, char **command);

#endif
