/* The directories that a queue consists of. The caller makes them durable. */
#ifndef MQ_LAYOUT_H
#define MQ_LAYOUT_H

#include <stdbool.h>

/* Whether a directory is a queue, some empty parts of which may have been removed: 1 or 0, or a negative errno if that
   cannot be known. */
int layout_is_queue(int dir);

/* Whether a queue has, or may have, a directory of this name. */
bool layout_has_dir(const char *name);

/* Make the directories of a queue that are missing. `sharing` says who shares it (access.h). */
int spool_make_dirs(int queue_dir, unsigned sharing);

/* The same for a queue that exists; its other directories tell who shares it. -ENOTDIR: it is no queue. */
int spool_heal(int queue_dir);

/* Remove a directory with everything in it, even while other processes still put something into it. */
int spool_remove_tree(int at, const char *name);

#endif
