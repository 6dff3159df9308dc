/*
 * The commands that a worker runs at the same time, and their events: signals, ends of commands, pipes, and timers.
 *
 *     job_pool_open(&worker)
 *     for (;;) {
 *         next = job_pool_run_timers(&worker)
 *         job_pool_handle_events(&worker, next)       or wait for a message and job_pool_start() its command
 *     }
 *     job_pool_close(&worker)
 *
 * Each settled job adds to `status`. If an error leaves no use in claiming more, job_pool_stop_claiming is called.
 */
#ifndef JOB_POOL_H
#define JOB_POOL_H

#include "worker/options.h"
#include "worker/rests.h"
#include "worker/service.h"

/* FINISHING: the worker claims no more. ENDING: the commands got SIGTERM. KILLING: they got SIGKILL. */
enum phase { WORKING, FINISHING, ENDING, KILLING };

struct worker {
    mq_sources *sources;
    const struct worker_options *options;
    int epoll, signals, children; /* descriptors */
    struct job *jobs;             /* a slot for each command that may run at once */
    unsigned running;             /* slots in use */
    struct job_outlets outlets;
    struct rests rests;
    bool turn_came; /* a job has printed its group, and another one may */
    uint64_t received;
    uint64_t done, failed; /* messages that were acked; others whose commands ended, or could not be started */
    struct service service;
    enum phase phase;
    int64_t grace_ends;  /* when running commands get SIGTERM; JOB_NEVER: no signal came, or there is no limit */
    int64_t next_start;  /* by --max-rate, no command starts before */
    int64_t quiet_since; /* when the wait for a message began */
    int signal;          /* the signal that ends the worker; 0: none */
    bool polling_told;
    int status;
};

/* Begin to watch for events. 0 or a negative errno. */
int job_pool_open(struct worker *worker);

/* Start the command for a message of a queue. A slot must be free. */
void job_pool_start(struct worker *worker, mq_queue *queue, mq_message *message);

/* Handle the events that have come, or sleep until one comes or until `time`. */
void job_pool_handle_events(struct worker *worker, int64_t time);

/* Do what is due: time-outs, kills, renewals of claims. Returns when the next one is due. */
int64_t job_pool_run_timers(struct worker *worker);

/* Pass on what the processes left behind by commands have written, and close their pipes. */
void job_pool_close(struct worker *worker);

/* Claim no more messages. */
void job_pool_stop_claiming(struct worker *worker);

/* Combine a status with the worker's. The first error that kept the worker from working replaces STATUS_FAILED. */
void job_pool_add_status(struct worker *worker, int status);

#endif
