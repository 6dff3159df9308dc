/* A transaction's handle, and what is put into it. The rest is in mq.h. */
#ifndef MQ_TRANSACTION_H
#define MQ_TRANSACTION_H

#include "lifecycle/draft.h"
#include "lifecycle/outbox.h"
#include "queue/queue.h"

struct mq_tx {
    struct outlet outlet; /* the first: it is what queues know of the transaction */
    char *spool_path;     /* as mq_open takes it */
    int spool, outbox, dir;
    struct outbox_place place; /* as it was seen last */
    unsigned long fs_type;     /* fs_find_type; 0: not asked for yet */
    uint64_t number;           /* of the last entry */
    bool is_durable;           /* something that was put in by this handle is to be on the disk */
    bool is_shared;            /* its id is known, so others may have put something in */
    struct handles handles;    /* of queues that it is carried out into */
};

/* A transaction that is begun in another directory than the outbox, and committed by its rename into that: what is sent once
   to a topic. It has no deadline, and belongs to whichever process of its user renames it first.
   transaction_new: a handle of no transaction, for these calls and mq_tx_renew.
   transaction_begin_in: make the directory parent/name for what is put in with this handle.
   transaction_commit_from: 1 committed and carried out as far as can be, 0 there is no such directory. -EPERM: it is another
   user's. -EINPROGRESS: committed, but a sync failed. Without `sync` the caller makes the decision durable. */
int transaction_new(const char *spool_path, mq_tx **ret_tx);
int transaction_begin_in(mq_tx *tx, int parent, const char *name);
int transaction_commit_from(mq_tx *tx, int parent, const char *name, bool sync);

/* The steps of a commit before and after the rename that decides it; mq_tx_commit says what is returned. */
int transaction_sync_before(const mq_tx *tx);
int transaction_conclude(mq_tx *tx, bool durable);

/* Open the outbox that is there now. */
int transaction_open_outbox(mq_tx *tx, bool make);

/* Put a draft for a log into it, which lies in the feed that it was written in. */
int transaction_take_for_log(mq_tx *tx, mq_log *log, mq_queue *feed, struct draft *draft);

/* A number for an entry: greater than those before it. */
uint64_t transaction_number(mq_tx *tx);

#endif
