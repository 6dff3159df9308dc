/*
 * One command that runs for one message: started, fed, read from, ended.
 *
 *     job_prepare(&job, message, options)      pipes and files
 *     job_launch(&job, queue, options)
 *     … stdin_feed_pump, relay_pump as its pipes are ready …
 *     job_note_end(&job, status)       its process has ended
 *     job_release(&job)                free everything; the caller settles the claim
 */
#ifndef JOB_H
#define JOB_H

#include <mq.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "io/relay.h"
#include "io/stdin_feed.h"
#include "message/outcome.h"

#define JOB_NEVER INT64_MAX

struct job_options {
    char *const *command;
    bool body_file;    /* the body is a file, not standard input */
    bool transaction;  /* what the command sends is sent with the ack, or not at all */
    bool reply;        /* if the message asks for a reply, keep the standard output */
    bool reply_any;    /* the reply may go to any queue */
    bool save;         /* keep what it prints, and how it ends */
    bool forms_output; /* pass both of its streams on in this form; else standard error alone, as it comes */
    enum relay_form form;
    int64_t timeout;    /* JOB_NEVER: none */
    int64_t kill_after; /* from SIGTERM to SIGKILL */
};

enum job_end { JOB_RUNS, JOB_TIMED_OUT, JOB_STOPPED, JOB_UNREADABLE, JOB_WANTS_TERMINAL }; /* why the worker ends it */

struct job {
    mq_message *message; /* NULL: the slot is free */
    mq_queue *queue;     /* that the message is from */
    mq_tx *tx;           /* NULL: none */
    pid_t pid;           /* also of its process group; 0: it does not run */
    enum job_end end;
    int wait_status;             /* valid once it has ended */
    int body, reply;             /* files with the body and with what the command printed as its reply; -1: none */
    int input, ends[MQ_STREAMS]; /* the command's ends of its pipes, until it runs; -1: none */
    struct stdin_feed feed;
    struct relay streams[MQ_STREAMS]; /* by enum mq_stream; a standard output that is not read is closed */
    mq_result *result;                /* NULL: none is kept */
    int64_t lease, renew_at;          /* how long its claim lasts, and when to renew it; JOB_NEVER: it is lost */
    int64_t term_at, kill_at;         /* when to send SIGTERM, and SIGKILL */
};

/* What the streams of all jobs share. */
struct job_outlets {
    struct outlet streams[MQ_STREAMS];
    struct relay_turn turn;
};

/* Make the pipes and files that the command needs; its lease is set. The job owns the message from then on, also after
   a failure. */
int job_prepare(struct job *job, mq_message *message, const struct job_options *options, struct job_outlets *outlets);

/* Start the command: 0 or a negative errno. */
int job_launch(struct job *job, mq_queue *queue, const struct job_options *options);

/* Let its transaction live for as long as its claim. */
void job_extend_transaction(struct job *job);

/* Send SIGTERM to the job's process group now, and SIGKILL at `kill_at`. */
void job_end(struct job *job, enum job_end why, int64_t kill_at);
void job_kill(struct job *job);

/* Note that the job's process has ended; call this before waitpid. If the worker was ending the job, the other
   processes of its group are killed. */
void job_note_end(struct job *job, int wait_status);

/* When the job's next timer is due. */
int64_t job_next_time(const struct job *job);

/* What the end of the command means for the message. */
void job_outcome(const struct job *job, const struct outcome_policy *policy, const struct job_options *options,
                 struct outcome *ret_outcome);

/* Whether a stream of it is still to be read or to be passed on. */
bool job_has_output(const struct job *job);

/* Finish the result that is kept, before the claim is settled: whoever sees the message settled can look at it. */
void job_end_result(struct job *job, const struct outcome *outcome);

/* A transaction that was not committed is aborted. */
void job_release(struct job *job);

#endif
