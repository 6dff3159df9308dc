/* A bridge between two names of one spool: each message is sent there and acked here in one transaction. */
#ifndef BRIDGE_LOCAL_H
#define BRIDGE_LOCAL_H

#include "bridge/arguments.h"

/* Returns the exit status; errors are reported. */
int local_run(const struct bridge_arguments *arguments);

#endif
