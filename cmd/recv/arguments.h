/* The command line of mq-recv. The options about commands are in worker_arguments.h. */
#ifndef ARGUMENTS_H
#define ARGUMENTS_H

#include <argp.h>
#include <mq.h>
#include <stdbool.h>
#include <stdint.h>

#include "cli/where.h"

struct recv_arguments {
    char **queues;
    size_t queue_count, queue_room;
    bool fair;
    char **command; /* NULL: messages are printed */
    bool auto_ack, follow, wait, no_wait, create, has_from, progress;
    struct where from; /* where a group begins that is made */
    uint64_t count;    /* 0: not given */
    bool together;
    uint64_t ack_every;      /* 0: not given; then all messages that were sent together are acked together */
    struct template *format; /* NULL: none */
    int framing;             /* 'l' or '0': how bodies end; 0: not given */
    struct mq_receive_options options;
};

/* A queue was named. */
void recv_arguments_add_queue(struct recv_arguments *arguments, char *queue);

/* No queue was named before `--`. If a single word follows `--`, take it as the queue. */
void recv_arguments_take_queue(struct recv_arguments *arguments, const struct argp_state *state);

/* End the program if the options do not go together. */
void recv_arguments_check(const struct recv_arguments *arguments, const struct argp_state *state);

/* Open the queues and groups, and make them if that is asked for. `ret_queues` gets memory with all that are open, also
   after a failure, for sources_close. Returns an exit status. */
int recv_arguments_open(const struct recv_arguments *arguments, mq_queue ***ret_queues);

/* Print messages of the queues, or run the command for them. Returns an exit status. */
int recv_arguments_run(const struct recv_arguments *arguments, mq_sources *sources, mq_queue *const *queues);

#endif
