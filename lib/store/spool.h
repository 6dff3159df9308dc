/*
 * Spools: where they are, which queues they hold, and making queues.
 *
 *     root = spool_open(NULL, false);
 *     dir = spool_find_queue(root, "jobs");
 *
 * `spool` is a descriptor of the spool's directory, or if it is text a path that mq_spool_path takes. Descriptors that
 * are returned belong to the caller. Errors are negative errno values.
 */
#ifndef MQ_SPOOL_H
#define MQ_SPOOL_H

#include <stdbool.h>

#include "base/fs.h"
#include "store/layout.h"

/* Open the spool's directory. With `make` it is made if it is missing. */
int spool_open(const char *spool, bool make);

/* Open a directory of the spool by one call. After an error, which may be of any kind, the caller goes step by step. */
int spool_open_at_once(const char *spool, const char *name);

/* Open the directory in which the last part of a name is one: the spool's, or that of a log's groups. -ENOENT: there is no
   such log, or it has none. */
int spool_open_home(const char *spool, const char *name, bool make);

/* The last part of a name. */
const char *spool_last_part(const char *name);

/* Open the directory of a queue. -ENOENT: no queue has the name. */
int spool_find_queue(int spool, const char *name);

/* Whether a queue has this name: 1; 0 if none has it that this process may see; or a negative errno if that cannot be
   known. */
int spool_has_queue(int spool, const char *name);

/* Open the directory of a queue, or of a group. With MQ_CREATE in `flags` the spool and the queue are made if they are
   missing; a group is not, since it begins where its maker says. */
int spool_open_queue(const char *spool, const char *name, unsigned flags);

/* Whether an open queue, of which this is the identity, has this name: 1 or 0, or a negative errno if that cannot be
   known. Its parent directory is the spool, even after the queue was renamed or removed. */
int spool_queue_has_name(int queue_dir, const char *name, const struct fs_identity *identity);

/* If nothing has the name, but a deleter holds a queue of that name (held.h), wait for about a second until the deleter
   has decided, and then put the queue back. 1: something has the name now; 0: nothing has it. */
int spool_await_held(int spool, const char *queue);

/* Make the names of a queue and of its spool durable, unless they are known to be durable. */
int spool_persist_queue(const char *spool, const char *name, int queue_dir);

/* Remove a reply queue if its owner is dead. 1: removed; 0: the owner lives, or another process has removed it. */
int spool_sweep_reply(int spool, const char *name);

/* The order of a queue that is being made, from the beginning: it says where senders put their messages. Without an order
   (NULL) there is nothing to do. */
int spool_set_order(int dir, unsigned sharing, const char *order, const char *by);
bool spool_order_is_valid(const char *order, const char *by);

/* Whether a queue that is there keeps that order, if one is asked for: 0, else -ESTALE. */
int spool_compare_order(int dir, const char *order, const char *by);

#endif
