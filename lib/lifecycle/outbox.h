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

#include "queue/handles.h"
#include "queue/queue.h"
#include "store/outbox_dir.h"

/* Carry out a committed transaction or undo an aborted one: 0 all is done, or the first error; what could be done is
   done in any case. `spool_path` is the spool as mq_open takes it; the handles are this user's. -EPERM: it is not the
   place's owner's, or others may write to it. */
int outbox_finish(const char *spool_path, int outbox, const struct outbox_place *place, struct handles *handles);

/* Open the directory of a transaction. Another user may put a directory where ours was, or rename one of ours that
   others can write to: what is in it are not the wishes of the owner whose rights this process has. -EPERM: it is not
   that owner's, or others may write to it. */
int outbox_open_own(int at, const char *name, uid_t owner);

/* What to finish. */
enum outbox_patience {
    OUTBOX_AT_ONCE, /* all that is decided or past its deadline */
    OUTBOX_LATER    /* but for what was decided within the last second: its owner is at it */
};

/* Finish the transactions of this user, and as root those of all. 0, or the first error of this user's. `ret_left`:
   whether there are any transactions yet. `now` is the time of a queue of the spool (queue_now); OUTBOX_NO_TIME: it is to be
   found out if a transaction is to be judged by it. */
#define OUTBOX_NO_TIME 0
int outbox_finish_all(const char *spool_path, enum outbox_patience patience, int64_t now, bool *ret_left);

/* The same, at most once a second for all processes, if a transaction was announced on the queue's page: true if there
   may be something new in the queue. A receiver also looks if no process has since the page was made. */
bool outbox_look(mq_queue *queue, int64_t now, bool receives);

#endif
