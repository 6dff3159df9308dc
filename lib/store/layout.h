/* The directories that a queue consists of. The caller makes them durable. */
#ifndef MQ_LAYOUT_H
#define MQ_LAYOUT_H

#include <stdbool.h>

/* Whether a directory is a queue, some empty parts of which may have been removed: 1 or 0, or a negative errno if that
   cannot be known. */
int layout_is_queue(int dir);

/* What a log has, and a topic, and no queue. */
#define LAYOUT_LOG "begin"
#define LAYOUT_TOPIC "bindings"

/* Whether a directory is a log or a topic: 1 or 0, or a negative errno. */
int layout_is_other(int dir);

/* Whether a queue has, or may have, a directory of this name. */
bool layout_has_dir(const char *name);

/* Make the directories of a queue that are missing. `sharing` says who shares it (access.h). */
int spool_make_dirs(int queue_dir, unsigned sharing);

/* The same for a queue that exists; its other directories tell who shares it. -ENOTDIR: it is no queue. */
int spool_heal(int queue_dir);

/* Make a directory of the spool whole: under another name, which nothing else can have, `fill` fills it, and it gets its own
   by one rename. So one of several makers succeeds, and a maker that is killed leaves nothing that looks like what it
   makes. -EEXIST: something has the name. */
typedef int spool_fill_fn(int dir, const void *context);
int spool_make_whole(int spool, const char *name, spool_fill_fn *fill, const void *context);

/* Remove a directory with everything in it, even while other processes still put something into it. */
int spool_remove_tree(int at, const char *name);

#endif
