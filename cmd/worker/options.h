/* What the command line asks of a worker. */
#ifndef OPTIONS_H
#define OPTIONS_H

#include <mq.h>
#include <stdbool.h>
#include <stdint.h>

#include "message/drain.h"
#include "message/outcome.h"
#include "worker/job.h"

struct worker_options {
    struct job_options job;
    struct outcome_policy policy;
    struct mq_receive_options receive; /* cancel_fd: the descriptor that signals are read from */
    uint64_t count;                    /* the most messages to claim; 0: no limit */
    bool follow;                       /* a signal is the expected end: the worker exits instead of dying of it */
    bool until_empty;
    bool once;          /* do not work again on a message that was acked before */
    unsigned parallel;  /* the most commands at once */
    int64_t interval;   /* the least time between two starts */
    struct drain drain; /* the progress that is shown */
    int64_t grace;      /* how long running commands get to finish after a signal; MQ_FOREVER: no limit */
};

#endif
