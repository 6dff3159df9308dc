/*
 * The commands that a worker has at work, and what is heard of them: signals, ends of commands, their pipes, and times.
 *
 *     job_pool_open(&worker)
 *     for (;;) {
 *         next = job_pool_heed_times(&worker)         do what is due
 *         job_pool_take_events(&worker, next)         or wait for a message and job_pool_start() a command
 *     }
 *
 * Whatever is concluded adds to `status`; what leaves no use in going on ends the claiming, by job_pool_finish.
 */
#ifndef CREW_H
#define CREW_H

#include "worker/worker.h"

enum phase { WORKING, FINISHING, ENDING, KILLING }; /* no more claims; TERM was sent; KILL was */

struct worker {
    mq_queue *queue;
    const struct worker_options *options;
    int epoll, signals, children;
    struct job *jobs; /* a slot for each command at once */
    unsigned running; /* slots in use */
    int *rests;       /* pipes of what commands left running, which hold no slot */
    size_t rest_count;
    bool rests_held; /* they wait for our standard error */
    uint64_t received;
    enum phase phase;
    int64_t grace_ends;  /* JOB_NEVER: not in sight */
    int64_t next_start;  /* --max-rate */
    int64_t quiet_since; /* when we began to wait for a message */
    int signal;          /* that ends us; 0: none */
    bool polling_told;
    int status;
};

/* Begin to listen. A negative errno where that cannot be. */
int job_pool_open(struct worker *worker);

/* Start a command for a message, in a free slot, which there is. */
void job_pool_start(struct worker *worker, mq_message *message);

/* Take what has happened, or sleep until something does or `time` comes. */
void job_pool_take_events(struct worker *worker, int64_t time);

/* Do what is due. The moment when there is something again. */
int64_t job_pool_heed_times(struct worker *worker);

/* At the end: pass on what there is of what commands left running. */
void job_pool_close(struct worker *worker);

/* Claim no more. */
void job_pool_finish(struct worker *worker);

/* What a command did is less than what keeps us from working. */
void job_pool_add_status(struct worker *worker, int status);

#endif
