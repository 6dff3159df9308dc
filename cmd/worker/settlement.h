/*
 * Settling the message of a job: it is acked, retried, rejected or given back.
 *
 * Each call settles, reports what went wrong, and returns an exit status: STATUS_DONE, STATUS_FAILED if the command
 * failed, or another one if the worker cannot go on. `ret_stop` tells whether the worker must stop.
 */
#ifndef SETTLEMENT_H
#define SETTLEMENT_H

#include <mq.h>
#include <stdbool.h>

#include "worker/options.h"

/* The command has ended. */
int settle_finished_job(mq_queue *queue, const struct worker_options *options, struct job *job, bool *ret_stop);

/* The command was not started: job_prepare or job_launch failed with `error`. */
int settle_unprepared_job(mq_queue *queue, const struct worker_options *options, struct job *job, int error,
                          bool *ret_stop);
int settle_unstarted_job(mq_queue *queue, const struct worker_options *options, struct job *job, int error,
                         bool *ret_stop);

/* The message asks for a reply to a queue that replies may not be sent to: reject it without starting the command. */
int settle_unanswerable_job(mq_queue *queue, const struct worker_options *options, struct job *job);

#endif
