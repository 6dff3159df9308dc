/* Receiving messages and printing them: by receipt, or acked once they are written. */
#ifndef RECEIVING_H
#define RECEIVING_H

#include <mq.h>
#include <stdbool.h>
#include <stdint.h>

#include "message/drain.h"

struct receiving {
    mq_sources *sources;
    struct mq_receive_options options; /* cancel_fd comes from signals_open */
    uint64_t most;                     /* messages; 0: until a signal, which is no failure then */
    bool auto_ack;
    bool together; /* by receipt: what was sent together is claimed as one, and its last message has the receipt */
    bool may_be_stopped;           /* a signal is no failure even if `most` is not 0 */
    uint64_t ack_every;            /* with auto_ack; 0: all that was sent together at once */
    int framing;                   /* 'l', '0', 'j', or 0: how a message ends */
    const struct template *format; /* NULL, or what is written of a message, by 'l' or '0' */
    struct drain drain;            /* the progress that is shown */
    /* NULL, or asked every second or two while nothing comes: an exit status, which ends it, or STATUS_DONE to go on. */
    int (*look)(const void *context);
    const void *context;
};

/* Receive messages and print them. Messages that could not be written go back. Returns an exit status. */
int receiving_run(const struct receiving *receiving);

#endif
