/*
 * One command at work on one message: started, fed, listened to, ended.
 *
 *     job_prepare(&job, message, options)      pipes and files
 *     job_launch(&job, queue, options)
 *     … stdin_feed_pump, stderr_relay_pump as its pipes are ready …
 *     job_note_end(&job, status)       its process has ended
 *     job_release(&job)                everything but the message's claim, which is the caller's to settle
 */
#ifndef JOB_H
#define JOB_H

#include <mq.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "io/stderr_relay.h"
#include "io/stdin_feed.h"
#include "message/outcome.h"

#define JOB_NEVER INT64_MAX

struct job_options {
    char *const *command;
    bool body_file;     /* hand the body as a file */
    bool transaction;   /* what it sends is part of one, with the ack */
    bool reply;         /* keep what it prints, where the message asks for a reply */
    bool reply_any;     /* into whatever queue it names */
    int64_t timeout;    /* JOB_NEVER: none */
    int64_t kill_after; /* from TERM to KILL */
};

enum job_end { JOB_RUNS, JOB_TIMED_OUT, JOB_STOPPED, JOB_UNREADABLE, JOB_WANTS_TERMINAL }; /* why we end it */

struct job {
    mq_message *message; /* NULL: the slot is free */
    mq_tx *tx;           /* NULL: none */
    pid_t pid;           /* and its process group; 0: it does not run */
    enum job_end end;
    int wait_status;  /* once it has ended */
    int body, output; /* the files that hold the body and what it printed; -1: none */
    int input, error; /* the command's ends of its pipes, until it runs; -1: none */
    struct stdin_feed feed;
    struct stderr_relay relay;
    bool held;                /* its standard error waits for ours */
    int64_t lease, renew_at;  /* how long its claim lives, and when to renew it; JOB_NEVER: it is lost */
    int64_t term_at, kill_at; /* when to end it, and when for good */
};

/* Make ready what the command needs; its lease is set. The job has the message from then on, on failure too. */
int job_prepare(struct job *job, mq_message *message, const struct job_options *options);

/* Run the command. 0, or a negative errno that says why it cannot be run. */
int job_launch(struct job *job, mq_queue *queue, const struct job_options *options);

/* Let its transaction live for as long as its claim. */
void job_extend_transaction(struct job *job);

/* End it: TERM for its group now, KILL at `kill_at`. */
void job_end(struct job *job, enum job_end why, int64_t kill_at);
void job_kill(struct job *job);

/* Its process has ended, but is not waited for yet: what else there is of a group that we end goes too. */
void job_note_end(struct job *job, int wait_status);

/* The moment when it wants something of its own. */
int64_t job_next_time(const struct job *job);

/* What its end says of the message. */
void job_outcome(const struct job *job, const struct outcome_policy *policy, const struct job_options *options,
                 struct outcome *ret_outcome);

/* A transaction that was not committed is aborted. */
void job_release(struct job *job);

#endif
