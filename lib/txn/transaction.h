/* A transaction's handle, and what is put into it. The rest is in mq.h. */
#ifndef MQ_TRANSACTION_H
#define MQ_TRANSACTION_H

#include "lifecycle/outbox.h"
#include "lifecycle/draft.h"
#include "queue/queue.h"

struct mq_tx {
    struct outlet outlet; /* the first: it is what queues know of the transaction */
    char *spool_path;     /* as mq_open takes it */
    int spool, outbox, dir;
    struct outbox_place place; /* as it was seen last */
    uint64_t number;           /* of the last entry */
    bool is_durable;           /* something that was put in by this handle is to be on the disk */
    bool is_shared;            /* its id is known, so others may have put something in */
    struct handles handles;    /* of queues that it is carried out into */
};

/* Begin another one with a handle whose transaction is over. -ENOENT: the outbox was removed; begin anew. */
int transaction_begin(mq_tx *tx, int64_t timeout);

/* Put a draft for a log into it, which lies in the feed that it was written in. */
int transaction_take_for_log(mq_tx *tx, mq_log *log, mq_queue *feed, struct draft *draft);

/* A number for an entry: greater than those before it. */
uint64_t transaction_number(mq_tx *tx);

#endif
