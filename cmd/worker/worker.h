/*
 * The worker runs a command for each message, several at once, until there is a reason to stop.
 *
 * It is one process with one loop. Signals, the ends of commands and their pipes are gathered in one epoll descriptor,
 * which also cancels the wait for the next message. So the worker sleeps until there is something to do. It claims a
 * message only when the command for it can start at once.
 */
#ifndef WORKER_H
#define WORKER_H

#include <mq.h>

#include "worker/options.h"

/* Run the worker for the messages of these queues. Returns an exit status. If a signal ended it, and `follow` is not
   set, the process dies of that signal. */
int worker_run(mq_sources *sources, const struct worker_options *options);

#endif
