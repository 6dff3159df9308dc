/*
 * Queues that a deleter holds.
 *
 * A queue is deleted in steps: it loses its name by one rename and is held under another; its states are removed if
 * they are empty; if they were, it is renamed once more and removed, else it is put back. Any process may put back a
 * queue that is held, so that nobody depends on a deleter that died. In these calls `spool` is the spool's open
 * directory, `held` the name that the queue is held under, and `queue` its own name.
 *
 * Errors are negative errno values.
 */
#ifndef MQ_HELD_H
#define MQ_HELD_H

#include <stdbool.h>

/* Remove the directories of all states. -ENOTEMPTY: a message is in one of them. */
int held_remove_states(int queue_dir);

/* Remove a held queue whose states are removed. -EAGAIN: another process has put it back. -ENOTEMPTY: a message came
   into it, and it is still held. */
int held_discard(int spool, const char *held, const char *queue);

/* Remove a queue whose states are removed, under a name that no other process uses. -ENOTEMPTY: a message is in it. */
int held_remove_emptied(int spool, const char *name);

/* Give a held queue its name again. If a new queue has that name the messages are moved there. Several processes may do
   this at once. */
int held_put_back(int spool, const char *held, const char *queue);

/* Find a held queue by its own name and put it back. 1: done; 0: none is held; -EAGAIN: one is held by a deleter that
   may be at work. With `at_once` it is put back even then. */
int held_give_back(int spool, const char *queue, bool at_once);

/* Whether an error says that this process may not see or rename held queues: another process will put them back. */
bool held_is_forbidden(int error);

#endif
