/*
 * The worker: a command for each message, up to so many at once, until there is a reason to stop.
 *
 * One process and one loop. Signals, ends of commands and their pipes are gathered in one epoll descriptor, which also
 * cancels the wait for the next message; so it sleeps until something is to be done, and a message is claimed only
 * when its command can start at once.
 */
#ifndef WORKER_H
#define WORKER_H

#include <mq.h>
#include <stdbool.h>
#include <stdint.h>

#include "message/outcome.h"
#include "worker/job.h"

struct worker_options {
    struct job_options job;
    struct outcome_policy policy;
    struct mq_receive_options receive; /* cancel_fd: what the signals are read from */
    uint64_t count;                    /* messages at most */
    bool follow;                       /* to be ended by a signal is as it should be */
    bool until_empty;
    bool once;         /* what was acked before is not done again */
    unsigned parallel; /* commands at once */
    int64_t interval;  /* between two starts at least */
    int64_t grace;     /* how long commands may go on once a signal came; MQ_FOREVER */
};

/* Run it: an exit status. Ends the program where a signal came that was not waited for. */
int worker_run(mq_queue *queue, const struct worker_options *options);

#endif
