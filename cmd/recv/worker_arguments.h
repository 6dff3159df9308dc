/* The options of mq-recv that are about commands: an argp child, and the values that it parsed. */
#ifndef WORKER_ARGUMENTS_H
#define WORKER_ARGUMENTS_H

#include <argp.h>
#include <mq.h>
#include <stdbool.h>

#include "worker/worker.h"

extern const struct argp worker_argp;

/* Whether any of these options was given. They need a command. */
bool worker_is_asked_for(void);

/* Whether --until-empty was given. */
bool worker_until_empty(void);

/* Fill in these options and the command. The caller adds the options of mq-recv itself. */
void worker_fill_options(struct worker_options *ret_options, char **command);

#endif
