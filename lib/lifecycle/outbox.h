/*
 * The outbox of a spool: transactions as directories, and what becomes of them.
 *
 * A transaction is decided by one rename of its directory. From then on every process of its user may carry it out or
 * undo it, at any time, also several at once: each entry is moved by one rename, and only rmdir(2) says that nothing is
 * left. The names in a transaction are its owner's wishes: a process touches the transactions of its own user only, and
 * root those of others with their rights.
 */
#ifndef MQ_OUTBOX_H
#define MQ_OUTBOX_H

#include <sys/types.h>

#include "format/outbox_name.h"
#include "queue/handles.h"
#include "queue/queue.h"

/* Open the outbox; with `make` it is made where it is missing, as open to others as the spool is. */
int outbox_open(int spool, bool make);

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
   undone. Transactions that this process may not read are an error only if `shared`: else no other user has any claims. */
struct outbox_hidden {
    uint64_t claims, dead;
    uint64_t tokens; /* of the claims: those whose messages lie in the queue's lanes yet */
};
int outbox_count_hidden(int spool, const char *queue, bool shared, struct outbox_hidden *ret_hidden);

/* Call `each` with the claims of a queue that transactions hold; with one that moves perhaps twice. A non-zero return ends
   the walk and is returned. */
typedef int outbox_claim_fn(void *context, const struct message_name *name);
int outbox_each_claim(int spool, const char *queue, bool shared, outbox_claim_fn *each, void *context);

/* Look a transaction up. 1 found, 0 it is not there. One listing may miss a directory that is being renamed, so there
   are several before it is said not to be there. */
int outbox_find(int outbox, const char *id, struct outbox_place *ret_place);

/* Call `each` for every transaction. A non-zero return ends the walk and is returned. */
int outbox_walk(int outbox, int (*each)(void *context, const struct outbox_place *place), void *context);

/* Carry out a committed transaction or undo an aborted one: 0 all is done, or the first error; what could be done is
   done in any case. `spool_path` is the spool as mq_open takes it; the handles are this user's. -EPERM: it is not the
   place's owner's, or others may write to it. */
int outbox_finish(const char *spool_path, int outbox, const struct outbox_place *place, struct handles *handles);

/* What to finish. */
enum outbox_patience {
    OUTBOX_AT_ONCE, /* all that is decided or past its deadline */
    OUTBOX_LATER    /* but for what was decided within the last second: its owner is at it */
};

/* Finish the transactions of this user, and as root those of all. 0, or the first error of this user's. `ret_left`: whether there are any transactions yet. */
int outbox_finish_all(const char *spool_path, enum outbox_patience patience, bool *ret_left);

/* The same, at most once a second for all processes, if a transaction was announced on the queue's page: true if there
   may be something new in the queue. A receiver also looks if no process has since the page was made. */
bool outbox_look(mq_queue *queue, int64_t now, bool receives);

#endif
