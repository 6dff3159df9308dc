/*
 * Spools: where they are, which queues they hold, and making one. In these calls `spool` is a descriptor of the
 * directory, or where it is text, a path as mq_spool_path takes it.
 */
#ifndef MQ_SPOOL_H
#define MQ_SPOOL_H

#include <stdbool.h>

#include "base/fs.h"

/* The spool's directory; with `make` it is made where it is missing. */
int spool_open(const char *spool, bool make);

/* The directory of a queue that is there, whole; -ENOENT where the name is that of none. */
int spool_find_queue(int spool, const char *name);

/* Whether a name is that of a queue, whole. 1 it is, 0 it is not, as far as we may see, or why that cannot be
   told. */
int spool_has_queue(int spool, const char *name);

/* The directory of a queue; with MQ_CREATE in `flags` both are made where they are missing. */
int spool_open_queue(const char *spool, const char *name, unsigned flags);

/* Whether the queue whose directory is open, and was identified, has this name: 1 or 0, or why that cannot be told. Its
   parent directory is its spool, also after it was renamed or removed. */
int spool_queue_has_name(int queue_dir, const char *name, const struct fs_identity *identity);

/* Give a queue its name back that somebody holds to see whether it is empty. 1 given back, 0 none is held, -EAGAIN: one
   is, by somebody who may be at it; `at_once`: even then. */
int spool_give_back(int spool, const char *queue, bool at_once);

/* The same, where nothing has the name; waits for him for about a second. 1 something has the name. */
int spool_await_held(int spool, const char *queue);

/* Make what a queue lacks of its directories, whatever took them, shared as the others are. -ENOTDIR: it is no queue. */
int spool_heal(int queue_dir);

/* Make a queue's own name durable, and the spool's, unless they are known to be. */
int spool_persist_queue(const char *spool, int queue_dir);

/* Make what a queue consists of, as far as it is missing, shared as access.h has it; making that durable is the
   caller's. */
int spool_make_dirs(int queue_dir, unsigned sharing);

/* Remove a reply queue whose owner is gone. 1 removed, 0 he lives. */
int spool_sweep_reply(int spool, const char *name);

/* Remove a directory with all that is in it, even while others still put something there. */
int spool_remove_tree(int at, const char *name);

#endif
