/* The directory of a spool's transactions, and what is in it. */
#ifndef MQ_OUTBOX_DIR_H
#define MQ_OUTBOX_DIR_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "format/outbox_name.h"

/* Open the outbox; with `make` it is made where it is missing, as open to others as the spool is. */
int outbox_open(int spool, bool make);

/* The time by which the deadlines of transactions are set and judged, and a deadline by it. `type` is that of the file
   system (fs_find_time). */
int outbox_find_time(int outbox, unsigned long *type, int64_t *ret_now);
int outbox_find_deadline(int outbox, unsigned long *type, int64_t timeout, int64_t *ret_deadline);

/* The directory of a transaction, whatever it is called by now. */
struct outbox_place {
    enum outbox_state state;
    int64_t deadline; /* of an open one */
    uid_t owner;
    int64_t since;  /* when it got its name */
    int dir;        /* its owner has it open; -1: it is to be opened by its name */
    bool is_synced; /* this process has brought the decision to the disk */
    char id[MQ_TX_SIZE];
    char name[OUTBOX_NAME_SIZE];
};

/* What transactions hold of a queue: messages that are in none of its states now, and come back if the transaction is
   undone. Of a queue that is not `shared` only its owner and root have claims, whatever others have put into theirs.
   unseen: there are transactions that this process may not read, and that may hold some of a shared queue. */
struct outbox_hidden {
    uint64_t claims, dead, bytes;
    bool unseen;
    uint64_t ready, delayed; /* of the claims: what a walk over the lanes of an ordered queue takes for waiting */
    int64_t waiting;         /* their bytes */
};
int outbox_count_hidden(int spool, const char *queue, int queue_dir, bool shared, struct outbox_hidden *ret_hidden);

/* Call `each` with the claims of a queue that transactions hold; with one that moves perhaps twice. A non-zero return ends
   the walk and is returned. */
typedef int outbox_claim_fn(void *context, const struct message_name *name);
int outbox_each_claim(int spool, const char *queue, int queue_dir, bool shared, outbox_claim_fn *each, void *context);

/* Look a transaction up. 1 found, 0 it is not there. One listing may miss a directory that is being renamed, so there
   are several before it is said not to be there. */
int outbox_find(int outbox, const char *id, struct outbox_place *ret_place);

/* Call `each` for every transaction. A non-zero return ends the walk and is returned. */
int outbox_walk(int outbox, int (*each)(void *context, const struct outbox_place *place), void *context);

#endif
