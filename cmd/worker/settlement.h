/* What becomes of a message whose command has ended: acked, tried again, rejected or given back. */
#ifndef CONCLUDE_H
#define CONCLUDE_H

#include <mq.h>
#include <stdbool.h>

#include "worker/worker.h"

/*
 * Settle the job's message; reports what went wrong. An exit status: STATUS_DONE, STATUS_FAILED where the command
 * failed, or another where there is no use in going on. `ret_stop`: the worker shall stop.
 */
int settlement_of_job(mq_queue *queue, const struct worker_options *options, const struct job *job, bool *ret_stop);

/* The same for a job that could not be prepared, and one whose command could not be run. */
int settlement_of_unprepared(mq_queue *queue, const struct worker_options *options, const struct job *job, int why,
                             bool *ret_stop);
int settlement_of_unstarted(mq_queue *queue, const struct worker_options *options, const struct job *job, int why,
                            bool *ret_stop);

/* The same for one that asks for a reply where none may be sent to: it is rejected, and its command never begins. */
int conclude_unanswerable(mq_queue *queue, const struct worker_options *options, const struct job *job);

#endif
